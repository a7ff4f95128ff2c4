"""Runs between fork and the real program: ties the process to the life of its parent, and changes the user.

``processes.py`` starts it as a script: ``launch.py PARENT_PID SIGNAL USER -- PROGRAM ARGUMENTS``. It is a separate
script because Python code in a forked child of a threaded process can deadlock. It uses the standard library only,
and then executes the program in its own place.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 4
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2

libc = ctypes.CDLL(None, use_errno=True)


def switch_user(user: str) -> None:
    """Continue as this user, with the capability to enter directories that are closed to it."""
    entry = pwd.getpwnam(user)
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    # Otherwise access(2), which PostgreSQL calls on its own program, ignores capabilities.
    libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    if not _keep_capability(CAP_DAC_READ_SEARCH):
        _keep_capability(CAP_DAC_OVERRIDE)


def _keep_capability(capability: int) -> bool:
    """Keep one capability over exec, capabilities(7); False where the machine does not grant it.

    A checkout below /root (mode 0700) is invisible to any other user. To open those directories to everybody would
    be worse than to let this one process in.
    """
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; low words, high words
    if libc.capset(header, sets) != 0:
        return False
    return bool(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0)


def signal_on_death_of(parent: int, number: int) -> None:
    """Receive this signal when the parent ends, however it ends."""
    libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the call above
        sys.exit("the process that started this one has ended")


def main() -> None:
    """Prepare this process, then execute the program."""
    parent, number, user, _, *program = sys.argv[1:]
    if user:
        switch_user(user)
    signal_on_death_of(int(parent), int(number))  # after the change of user, which would reset it
    os.execvp(program[0], program)  # noqa: S606 - our own command line


if __name__ == "__main__":
    main()
