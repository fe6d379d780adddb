#!/usr/bin/python3
"""Compares what the fast paths execute with the table that is checked in.

usage: fast_paths.py PROGRAM TABLE [--update]

PROGRAM (trace.cc) runs each path one instruction at a time; the object code tells what the instructions are. A count
above the table's is a lost fast path, and fails; one below it asks for an update of the table.
"""

import re
import subprocess
import sys

COLUMNS = ["instructions", "calls", "branches", "loads", "stores", "atomics"]
# Instructions whose last operand in memory is not written.
READ_ONLY = re.compile(r"^(cmp|test|bt[lwq]?$|prefetch|jmp|call|lea|ldmxcsr|fldcw|nop|push)")


def classes(mnemonic, operands):
    found = {"instructions"}
    if mnemonic.startswith("lock") or (mnemonic.startswith("xchg") and "(" in operands):
        found.add("atomics")
    if mnemonic.startswith("call"):
        found.add("calls")
    elif mnemonic.startswith("j"):
        found.add("branches")
    if mnemonic.startswith("lea") or mnemonic.startswith("nop"):
        return found
    if mnemonic.startswith("push"):
        found.add("stores")
    elif mnemonic.startswith(("pop", "ret")):
        found.add("loads")
    if "(" in operands or "%fs:" in operands:
        parts = re.split(r",(?![^(]*\))", operands)
        last = parts[-1]
        in_last = "(" in last or "%fs:" in last
        if in_last and len(parts) > 1 and not READ_ONLY.match(mnemonic):
            found.add("stores")
            if not mnemonic.startswith(("mov", "set", "stmxcsr", "fnstcw")):
                found.add("loads")
        elif mnemonic in ("stmxcsr", "fnstcw") or mnemonic.startswith("set"):
            found.add("stores")
        else:
            found.add("loads")
    return found


def disassemble(program):
    """(symbol, mnemonic, operands) by address."""
    output = subprocess.run(["objdump", "-d", "-C", "--no-show-raw-insn", program], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    code, symbol = {}, ""
    for line in output.splitlines():
        if match := re.match(r"^[0-9a-f]+ <(.*)>:$", line):
            symbol = match.group(1)
        elif match := re.match(r"^\s+([0-9a-f]+):\t((?:lock |rep |data16 |notrack )*\S+)\s*(.*)$", line):
            operands = re.sub(r"\s*[#<].*$", "", match.group(3))
            code[int(match.group(1), 16)] = (symbol, match.group(2), operands)
    return code


def measure(program):
    trace = subprocess.run([program], check=True, text=True, stdout=subprocess.PIPE).stdout
    code = disassemble(program)
    base, paths, counts, times = 0, {}, None, 1
    for line in trace.splitlines():
        words = line.split()
        if words[0] == "base":
            base = int(words[1], 16)
        elif words[0] == "path":
            counts, times = dict.fromkeys(COLUMNS, 0), int(words[2])
            paths[words[1]] = (counts, times)
        else:
            at = code.get(int(words[0], 16) - base)
            if at is None or "traced_" in at[0]:
                continue  # another module: glibc's own malloc
            for name in classes(at[1], at[2]):
                counts[name] += 1
    return {path: {name: -(-count // times) for name, count in counts.items()}
            for path, (counts, times) in paths.items()}


def read_table(path):
    rows = {}
    with open(path) as table:
        for line in table:
            words = line.split()
            if words and not line.startswith("#") and words[0] != "path":
                rows[words[0]] = dict(zip(COLUMNS, map(int, words[1:])))
    return rows


def as_text(paths):
    lines = ["# What the fast paths execute in Roam's own code, a call. tests/fast_paths/fast_paths.py --update writes it.",
             f"{'path':18}" + "".join(f"{name:>14}" for name in COLUMNS)]
    for path, counts in paths.items():
        lines.append(f"{path:18}" + "".join(f"{counts[name]:>14}" for name in COLUMNS))
    return "\n".join(lines) + "\n"


def main():
    program, table = sys.argv[1], sys.argv[2]
    found = measure(program)
    print(as_text(found))
    if "--update" in sys.argv[3:]:
        with open(table, "w") as out:
            out.write(as_text(found))
        return 0
    expected = read_table(table)
    failed = sorted(expected.keys() ^ found.keys())
    for path in failed:
        print(f"FAILED: {path} is only in {'the table' if path in expected else 'the trace'}")
    for path in expected.keys() & found.keys():
        for name in COLUMNS:
            have, allowed = found[path][name], expected[path][name]
            if have > allowed:
                failed.append(path)
                print(f"FAILED: {path} executes {have} {name}, the table allows {allowed}")
            elif have < allowed:
                print(f"note: {path} executes {have} {name}, fewer than the table's {allowed}: update it")
        if found[path]["instructions"] == 0:
            failed.append(path)
            print(f"FAILED: {path} was not traced")
    return 1 if failed else 0


sys.exit(main())
