"""The audit: do the ledgers of the services and the events on the topics add up?"""

from ops.audit.report import Finding, Headers, Progress, Report, Shop
from ops.audit.run import audit

__all__ = ["Finding", "Headers", "Progress", "Report", "Shop", "audit"]
