"""Asks PostgreSQL by a library: python3 libraries.py psycopg|asyncpg PORT. Waits for a line."""
import asyncio
import sys

library, port = sys.argv[1], int(sys.argv[2])
WHERE = {"host": "127.0.0.1", "port": port, "user": "postgres"}


def psycopg():
    import psycopg

    sys.stdin.readline()
    with psycopg.connect(dbname="postgres", autocommit=True, **WHERE) as c:
        for i in range(50):
            assert c.execute("SELECT %s::int + 1", (i,)).fetchone() == (i + 1,)
        with c.pipeline():
            asked = [c.execute("SELECT %s::int + 1", (i,)) for i in range(30)]
            assert [a.fetchone()[0] for a in asked] == list(range(1, 31))
        c.cursor().executemany("SELECT %s::int", [(i,) for i in range(20)])
        try:
            c.execute("SELECT * FROM nope")
        except psycopg.errors.UndefinedTable:
            pass
        with c.transaction():
            c.execute("CREATE TEMP TABLE t (x int)")
        with c.cursor().copy("COPY t FROM STDIN") as rows:
            for i in range(100):
                rows.write_row((i,))


async def asyncpg():
    import asyncpg

    sys.stdin.readline()
    connections = [await asyncpg.connect(database="postgres", **WHERE) for _ in range(10)]

    async def ask(c, first):
        for i in range(first, first + 20):
            assert await c.fetchval("SELECT $1::int + 1", i) == i + 1

    await asyncio.gather(*[ask(c, 20 * k) for k, c in enumerate(connections)])
    c = connections[0]
    await c.executemany("SELECT $1::int", [(i,) for i in range(20)])
    try:
        await c.fetch("SELECT * FROM nope")
    except asyncpg.exceptions.UndefinedTableError:
        pass
    async with c.transaction():
        pass
    for c in connections:
        await c.close()


psycopg() if library == "psycopg" else asyncio.run(asyncpg())
