import os
import urllib.request

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"])


def leaf(request, n):
    return HttpResponse("leaf")


def a(request, n):
    with urllib.request.urlopen("http://127.0.0.1:%s/leaf/%d" % (os.environ["PORT"], n)) as answer:
        return HttpResponse(answer.read())


urlpatterns = [path("leaf/<int:n>", leaf), path("a/<int:n>", a)]
app = get_wsgi_application()
