import os

import flask
import requests

app = flask.Flask(__name__)


@app.route("/leaf/<int:n>")
def leaf(n):
    return "leaf"


@app.route("/a/<int:n>")
def a(n):
    return requests.get("http://127.0.0.1:%s/leaf/%d" % (os.environ["PORT"], n)).text
