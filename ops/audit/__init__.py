"""The audit: does what the services say, and what lies on the topics, add up?"""

from ops.audit.report import CannotAudit, Finding, Headers, Progress, Report, Shop
from ops.audit.run import audit

__all__ = ["CannotAudit", "Finding", "Headers", "Progress", "Report", "Shop", "audit"]
