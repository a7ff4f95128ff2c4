"""One module a version, run in the order of their names; see ``chassis.persistence.mongo.migrate``.

A version changes documents, or renames or drops collections and indexes. Run again, it changes nothing.
"""
