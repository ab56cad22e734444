"""What whoever is out there can hand in, tried by the thousand: no crash, no 5xx, no hang, nothing outside.

Each *surface* takes bytes, whoever makes them: strategies of hypothesis that know its grammar, or atheris, which
is led by what of the code the bytes reach. ``python -m tests.fuzz`` runs them for minutes, ``tests/test_fuzz.py``
for moments.
"""
