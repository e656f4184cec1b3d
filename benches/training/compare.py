"""Lets tools do the same training steps in turn and prints what a step takes of each.

    compare.py ROUNDS STEPS NAME=COMMAND …

Each tool is one process that prints `ready`, then does as many steps as a line of its input says and answers with a line.
They are asked in turn, ROUNDS times STEPS steps each behind a first block that is not counted, so that what else the machine
does falls on all of them alike; a tool that waits takes no processor time. Processor time is what Linux counts of the process
and its threads; peak memory is the greatest resident set that it saw.
"""

import os
import statistics
import subprocess
import sys
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Tool:
    def __init__(self, name, command):
        self.name = name
        self.cpu, self.wall = [], []
        self.process = subprocess.Popen(command, shell=True, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended before its work was done")
        return line.strip()

    def seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def steps(self, count):
        cpu, wall = self.seconds(), time.monotonic()
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        loss = self.answer()
        self.cpu.append((self.seconds() - cpu) / count)
        self.wall.append((time.monotonic() - wall) / count)
        return float(loss)

    def peak(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def main():
    rounds, steps = int(sys.argv[1]), int(sys.argv[2])
    tools = [Tool(*argument.split("=", 1)) for argument in sys.argv[3:]]
    first = [tool.steps(steps) for tool in tools]
    for tool in tools:
        tool.cpu.clear(), tool.wall.clear()
    for _ in range(rounds):
        for tool in tools:
            tool.steps(steps)
    ours = tools[0]
    print(f"{'':16} {'processor':>12} {ours.name + ' ÷ it':>14} {'wall':>10} {'peak':>10}  first loss")
    for tool, loss in zip(tools, first):
        ratio = statistics.median(own / other for own, other in zip(ours.cpu, tool.cpu))
        print(f"{tool.name:16} {statistics.median(tool.cpu) * 1000:9.1f} ms {ratio:14.3f} "
              f"{statistics.median(tool.wall) * 1000:7.1f} ms {tool.peak():6.0f} MiB  {loss:.4f}")
    for tool in tools:
        tool.close()


main()
