"""The peer of `durable.pgo` that scripts use today: Python's sqlite3 in WAL mode, synchronous=FULL: FILE N."""
import sqlite3
import sys
import time

db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode=WAL")
db.execute("PRAGMA synchronous=FULL")
db.execute("BEGIN")
db.execute("CREATE TABLE m(k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID")
put = "INSERT INTO m VALUES(?,?) ON CONFLICT(k) DO UPDATE SET v=excluded.v"
value = "v" * 92
for i in range(1000):
    db.execute(put, (f"key{i:07}", value))
db.execute("COMMIT")
start = time.monotonic()
for i in range(int(sys.argv[2])):
    db.execute(put, (f"key{i * 7919 % 1000:07}", f"{i:08}{value}"))
print(time.monotonic() - start)
db.close()
