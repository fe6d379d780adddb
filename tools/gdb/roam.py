"""Threads of Roam in gdb: of a live process, or of a core.

    (gdb) source tools/gdb/roam.py      (./roam install puts it where gdb finds it by itself)
    (gdb) roam threads                  this rank's threads; `roam threads all`: the node's
    (gdb) roam bt ID [ARGUMENT...]      a thread's stack; arguments as those of `bt`
    (gdb) roam symbols ID               of roam-mpi: adds the symbols of a virtual rank's program

Nothing in the process is changed, registers neither. The process tells in its table
`roam_inspect` (threads/inspect.h) where things are, so no debug information is needed.
"""

import os
import re
import shlex

import gdb
import gdb.unwinder

_FACT_BYTES = 32
_FACT_NAME_BYTES = 24


def _bytes_at(address, count):
    return gdb.selected_inferior().read_memory(address, count).tobytes()


def _bytes_or_zeros(address, count):
    """The same, of memory of which a core has what was written: the rest are zeros. gdb 16 refuses
    to read what lies partly in a mapping whose file it cannot open; older ones read zeros there."""
    try:
        return _bytes_at(address, count)
    except gdb.MemoryError:
        pass
    read = b""
    while len(read) < count:
        piece = min(4096 - (address + len(read)) % 4096, count - len(read))
        try:
            read += _bytes_at(address + len(read), piece)
        except gdb.MemoryError:
            read += bytes(piece)
    return read


def _number_at(address, count=8, signed=False):
    return int.from_bytes(_bytes_at(address, count), "little", signed=signed)


def _text_at(address):
    """The C string at `address`, read in pieces that do not cross a page."""
    text = b""
    while b"\0" not in text:
        text += _bytes_at(address + len(text), 64 - (address + len(text)) % 64)
    return text.split(b"\0")[0].decode(errors="replace")


def _facts():
    """What the rank's table says, by name."""
    try:
        at = int(gdb.parse_and_eval("(unsigned long)&roam_inspect"))
    except gdb.error:
        raise gdb.GdbError("no program that uses Roam is loaded: there is no `roam_inspect` in it")
    facts = {}
    try:
        while _bytes_at(at, 1) != b"\0":
            name = _bytes_at(at, _FACT_NAME_BYTES).split(b"\0")[0].decode()
            facts[name] = _number_at(at + _FACT_NAME_BYTES)
            at += _FACT_BYTES
    except gdb.MemoryError:
        facts = {}
    if not facts:
        raise gdb.GdbError("roam::run has not started here, so there are no threads yet")
    facts["running"] = _number_at(facts["current"])
    facts["state_texts"] = [_text_at(_number_at(facts["state_names"] + 8 * number))
                            for number in range(facts["states"])]
    facts["texts"] = {}  # of constants, by address
    return facts


class _Thread:
    """What the control block at `tcb` says, which is read at once: of a core with many parts each
    read takes gdb a millisecond."""

    def __init__(self, facts, tcb):
        self._facts = facts
        self._tcb = tcb
        self._block = _bytes_at(tcb, facts["tcb.bytes"])
        self.id = self._field("id")
        self.rank = self._field("rank", 4, signed=True)
        self.runs = facts["running"] == tcb
        self.cold = self._field("cold", 1) != 0
        self.context = self._field("context")
        self.guest = self._field("guest") if "tcb.guest" in facts else 0

    def _field(self, name, count=8, signed=False):
        at = self._facts["tcb." + name]
        return int.from_bytes(self._block[at:at + count], "little", signed=signed)

    @property
    def name(self):
        long_name = self._field("long_name")
        try:
            if long_name:
                return _text_at(long_name)
        except gdb.MemoryError:
            return "?"
        name = self._block[self._facts["tcb.short_name"]:]
        return name.split(b"\0")[0].decode(errors="replace")

    @property
    def state(self):
        number = self._field("state", 1)
        if self.runs:
            return "running"
        if number >= self._facts["states"]:
            return "?"
        return self._facts["state_texts"][number]

    @property
    def waits(self):
        """What it waits for, and what keeps it from moving."""
        words = []
        waits_for = self._field("waits_for")
        if waits_for and not self.runs:
            texts = self._facts["texts"]
            if waits_for not in texts:
                texts[waits_for] = _text_at(waits_for)
            words.append("%s at %#x" % (texts[waits_for], self._field("waits_at")))
        move_to = self._field("move_to", 4, signed=True)
        if move_to >= 0:
            words.append("to move to rank %d" % move_to)
        for what in ("pins", "open_objects", "locks", "tied"):
            count = self._field(what, 4, signed=True)
            if count:
                words.append("%s %d" % (what.replace("_", " "), count))
        return ", ".join(words)


def _threads(facts, everywhere):
    """Threads of this rank, or of every rank of the node."""
    unit_bytes = facts["unit_bytes"]
    for lease in range(facts["slots"], facts["slots"] + facts["slot_bytes"], facts["lease_bytes"]):
        number = (lease - facts["arena"]) // facts["lease_bytes"]
        flags = (facts[which] + number for which in ("lease_flags", "lease_open"))
        if not any(any(_bytes_or_zeros(flag, 1)) for flag in flags):
            continue
        first = (lease - facts["arena"]) // unit_bytes
        kinds = _bytes_or_zeros(facts["arena"] + first, facts["lease_bytes"] // unit_bytes)
        head = kinds.find(facts["slot_head"])
        while head >= 0:
            thread = _at_head_unit(facts, lease + head * unit_bytes)
            if thread and thread.id and (everywhere or thread.rank == facts["rank"]):
                yield thread
            head = kinds.find(facts["slot_head"], head + 1)


def _at_head_unit(facts, head):
    """The thread whose control block is in the unit at `head`, as tcb_of_head_unit() has it."""
    unit_bytes = facts["unit_bytes"]
    colour = head // unit_bytes * 7 % facts["colours"]
    page = head + unit_bytes - facts["page_bytes"]
    try:
        return _Thread(facts, page + facts["least_stack"] + colour * facts["colour_step"])
    except gdb.MemoryError:
        return None


_symbols_added = set()


def _add_symbols(thread):
    """Adds the files of the program that a virtual rank runs, and of its private libraries, where
    they lie for it; those that are there already are left. Returns how many it has, and were added."""
    try:
        at = int(gdb.parse_and_eval("(unsigned long)&roam_images"))
    except gdb.error:
        return 0, 0  # no launcher of programs
    if not thread.guest:
        return 0, 0
    program, maps = _number_at(at), _number_at(at + 8)
    here = _number_at(thread.guest + maps)
    count = added = 0
    while here:
        # A link_map: address, name, dynamic section, next.
        address, name = _number_at(here), _text_at(_number_at(here + 8))
        here = _number_at(here + 24)
        if address == 0:
            continue  # the process's, which gdb knows
        path = name or _text_at(program)
        if not path.startswith("/"):
            path = os.path.join("/proc/%d/cwd" % gdb.selected_inferior().pid, path)
        count += 1
        key = (gdb.selected_inferior().pid, path, address)
        if key in _symbols_added:
            continue
        _symbols_added.add(key)
        gdb.execute('add-symbol-file "%s" -o %#x' % (path, address), to_string=True)
        added += 1
    return count, added


class _Unwinder(gdb.unwinder.Unwinder):
    """While a thread is chosen, makes its suspended frame the caller of the innermost one."""

    def __init__(self):
        super().__init__("roam")
        self.context = None
        self.innermost = None  # its stack pointer

    def __call__(self, pending):
        # Not by its level: functions that are inline in it have frames of their own.
        if self.context is None or pending.read_register("rsp") != self.innermost:
            return None
        # Below the thread's frames, which gdb wants to lie further up than this one.
        caller = pending.create_unwind_info(_FrameId(self.context, pending.read_register("rip")))
        word = gdb.lookup_type("unsigned long")
        # threads/context.h: | MXCSR, x87 control word | where it goes on |, and then its stack.
        caller.add_saved_register("rsp", gdb.Value(self.context + 16).cast(word))
        caller.add_saved_register("rip", gdb.Value(_number_at(self.context + 8)).cast(word))
        return caller


class _FrameId:
    """A class of gdb's own for this is only in some versions."""

    def __init__(self, sp, pc):
        self.sp = gdb.Value(sp)
        self.pc = pc


_unwinder = _Unwinder()
gdb.unwinder.register_unwinder(None, _unwinder, replace=True)


def _stack_of(thread, arguments):
    """`bt` of a suspended thread, as text."""
    selected = gdb.selected_frame().level()
    _unwinder.innermost = gdb.newest_frame().read_register("rsp")
    _unwinder.context = thread.context
    gdb.invalidate_cached_frames()
    try:
        frame = gdb.newest_frame()
        while frame.type() == gdb.INLINE_FRAME:
            frame = frame.older()
        first = frame.level() + 1
        text = gdb.execute("bt " + arguments, to_string=True)
    finally:
        _unwinder.context = None
        gdb.invalidate_cached_frames()
        gdb.execute("frame %d" % selected, to_string=True)
    # The innermost frame is the rank's, not the thread's; nothing called the outermost, which
    # Boost.Context made.
    begin = "\n#%d " % first
    text = text[text.find(begin) + 1:] if begin in text else ""
    text = re.sub(r"(?ms)^#\d+ [^\n]* make_fcontext \(\).*", "", text)
    return re.sub(r"(?m)^#(\d+) ( *)", lambda m: "#%-3d" % (int(m[1]) - first), text)


class _Roam(gdb.Command):
    """Threads of Roam: `roam threads`, `roam bt ID`, `roam symbols ID`."""

    def __init__(self):
        super().__init__("roam", gdb.COMMAND_STACK, prefix=True)


class _ListThreads(gdb.Command):
    """Lists the threads of this rank: id, name, state, rank, what each waits for.

    roam threads [all]      all: those of the other ranks of the node too"""

    def __init__(self):
        super().__init__("roam threads", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        if argument.strip() not in ("", "all"):
            raise gdb.GdbError("roam threads takes `all` or nothing, not %s" % argument)
        facts = _facts()
        print("%20s  %-4s  %-10s %-24s %s" % ("id", "rank", "state", "name", "waits for"))
        for t in _threads(facts, argument.strip() == "all"):
            print(("%20d  %-4d  %-10s %-24s %s" %
                   (t.id, t.rank, t.state, "'%s'" % t.name, t.waits)).rstrip())


def _thread_named(command, words):
    if not words:
        raise gdb.GdbError("%s needs the id or the name of a thread; see `roam threads`" % command)
    found = [t for t in _threads(_facts(), True) if words[0] in (str(t.id), t.name)]
    if not found:
        raise gdb.GdbError("no thread on this node has the id or the name %s" % words[0])
    if len(found) > 1:
        raise gdb.GdbError("%d threads are named %s; use an id: %s" %
                           (len(found), words[0], ", ".join(str(t.id) for t in found[:8])))
    return found[0]


def _words(command, argument):
    try:
        return shlex.split(argument)
    except ValueError as wrong:
        raise gdb.GdbError("%s: %s" % (command, wrong))


class _Symbols(gdb.Command):
    """Adds the symbols of the program that a virtual rank runs, where it lies for this one.

    roam symbols ID         ID: its id or name, as `roam threads` has it

    gdb has the names, lines and variables of this virtual rank from then on; `roam bt` does it by
    itself. `remove-symbol-file` takes them away."""

    def __init__(self):
        super().__init__("roam symbols", gdb.COMMAND_FILES)

    def invoke(self, argument, from_tty):
        thread = _thread_named("roam symbols", _words("roam symbols", argument))
        count, added = _add_symbols(thread)
        if count == 0:
            raise gdb.GdbError("thread '%s' runs no program of roam-mpi or run_images" % thread.name)
        print("%d files of '%s', of which %d were added" % (count, thread.name, added))


class _Backtrace(gdb.Command):
    """Shows the stack of a thread of Roam, running or suspended.

    roam bt ID [ARGUMENT...]    ID: its id or name, as `roam threads` has it, in quotes if it has
                                blanks; ARGUMENT: as of `bt`"""

    def __init__(self):
        super().__init__("roam bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = _words("roam bt", argument)
        thread = _thread_named("roam bt", words)
        arguments = " ".join(words[1:])
        _add_symbols(thread)
        if thread.runs:
            gdb.execute("bt " + arguments)
        elif thread.cold:
            print("Its stack was not needed any more where it came to: it has ended, and rests.")
        else:
            print(_stack_of(thread, arguments), end="")


_Roam()
_ListThreads()
_Symbols()
_Backtrace()
