"""A worker, or, when it is the program, who gives it a task. The broker is a folder."""

import os
import sys

from celery import Celery

folder = os.environ["BROKER_FOLDER"]
app = Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder}
app.conf.broker_connection_retry_on_startup = True


@app.task(name="add")
def add(a, b):
    return a + b


if __name__ == "__main__":
    for n in range(int(sys.argv[1])):
        add.delay(n, n)
