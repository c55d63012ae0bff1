"""Asks MariaDB by PyMySQL from ten threads: python3 library.py PORT [tls]. Waits for a line."""
import sys
import threading

import pymysql

how = {"ssl": {"check_hostname": False, "verify_mode": False}} if sys.argv[2:] else {}


def ask():
    c = pymysql.connect(host="127.0.0.1", port=int(sys.argv[1]), user="root", database="test", **how)
    cursor = c.cursor()
    for i in range(20):
        cursor.execute("SELECT %s + 1", (i,))
        assert cursor.fetchone() == (i + 1,)
    try:
        cursor.execute("SELECT * FROM nope")
    except pymysql.err.ProgrammingError:
        pass
    c.close()


sys.stdin.readline()
threads = [threading.Thread(target=ask) for _ in range(10)]
for t in threads:
    t.start()
for t in threads:
    t.join()
