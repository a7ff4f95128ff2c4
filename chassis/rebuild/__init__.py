"""Rebuild: makes a replica anew from its topics, beside the live one; compares the two; swaps what differs.

``replica`` what a service declares · ``shadow`` the schema beside the live tables · ``selection`` which
records, with which values · ``reading`` topics into the shadow · ``difference`` live against rebuilt · ``swap`` swap
and undo · ``runner`` the job · ``sweep`` drops old shadows
"""
