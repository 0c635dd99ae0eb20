"""Erasing one person from a tenant: who is meant, where they stand, what is left of each place, and the proof.

``looking`` finds a person in a text, ``whom`` says who is meant, ``texts`` what becomes of a file, ``files`` and
``logs`` what lies in the folder, ``journal`` survives a kill, ``proof`` searches afterwards. The history is rewritten
by runtime/tenant/git/history.py; the database and the order of the steps are in runtime/turns/erasing.py. In words:
docs/privacy.md.
"""
