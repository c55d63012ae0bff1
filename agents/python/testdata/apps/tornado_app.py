import asyncio
import os

from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application, RequestHandler


class Leaf(RequestHandler):
    def get(self, n):
        self.write("leaf")


class A(RequestHandler):
    async def get(self, n):
        answer = await AsyncHTTPClient().fetch("http://127.0.0.1:%s/leaf/%s" % (os.environ["PORT"], n))
        self.write(answer.body)


async def main():
    Application([("/leaf/(.*)", Leaf), ("/a/(.*)", A)]).listen(int(os.environ["PORT"]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
