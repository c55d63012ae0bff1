"""ratings says how many stars a product has: Flask, served by gunicorn."""

import json
import os
import urllib.request

from flask import Flask, jsonify

REVIEWS = os.environ.get("REVIEWS", "http://reviews:8080")
app = Flask(__name__)


@app.get("/healthz")
def healthz():
    return jsonify(ok=True)


@app.get("/ratings/<order>")
def ratings(order):
    with urllib.request.urlopen("%s/reviews/%s" % (REVIEWS, order), timeout=10) as response:
        reviews = json.load(response)
    return jsonify(order=order, stars=4.5, reviews=reviews["reviews"])
