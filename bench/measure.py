"""Runs a command: measure.py COMMAND ...; prints its seconds and its peak memory as one JSON object.

A process of its own, because Linux counts the memory of whoever starts a program into the program's peak.
"""
import json
import resource
import subprocess
import sys
import time

began = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
seconds = time.perf_counter() - began
if done.returncode:
    sys.exit(done.stderr)
peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_mib": peak_mib, "told": done.stderr}))
