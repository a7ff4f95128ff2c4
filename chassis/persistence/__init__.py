"""Stores: the unit of work of one transaction, who runs it, and the two databases that can hold it.

``unit_of_work`` rows in memory · ``command`` one decision · ``transaction_runner`` load, execute, save, publish,
redact · ``group_commit`` requests that share a transaction · ``database`` what is asked of a database ·
``postgres/``, ``mongo/`` the databases.
"""
