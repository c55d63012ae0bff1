package program

import "testing"

func TestPython(t *testing.T) {
	const py = "/usr/bin/python3.13"
	shop := in("/home/u/shop")
	check(t, []row{
		{py, "python3 -u /app/recommender.py", nil, "recommender"},
		{py, "python3 -u -X dev -W error worker.py", nil, "worker"},
		{py, "python3 -Wd -O worker.py", nil, "worker"},
		{py, "python3 -uW ignore worker.py", nil, "worker"},
		{py, "python3 -Xfrozen_modules=off -Bs worker.py --port 80", nil, "worker"},
		{py, "python3 --check-hash-based-pycs never worker.py", nil, "worker"},
		{py, "python3 -- worker.py", nil, "worker"},
		{py, "python3 app.py", nil, "app"},
		{py, "python3 app.py", in("/app"), "app"},
		{py, "python3 app.py", in("/tmp/tmp.abc"), "app"},
		{py, "python3 app.py", shop, "shop"},
		{py, "python3 /home/u/shop/src/main.py", in("/"), "shop"},
		{py, "python3 src/main.py", shop, "shop"},
		{py, "python3 -m http.server 8000", nil, "http.server"},
		{py, "python3 -mhttp.server 8000", nil, "http.server"},
		{py, "python3 -um http.server", nil, "http.server"},
		{py, "python3 -m shop.web", nil, "shop.web"},
		{py, "python3 -m shop.__main__", nil, "shop"},
		{py, "python3 -m shop", nil, "shop"},
		{py, "python3 -c print(1)", nil, "python3.13"},
		{py, "python3 -", nil, "python3.13"},
		{py, "python3", nil, "python3.13"},
		{"/usr/bin/pypy3", "pypy3 worker.py", nil, "worker"},
		{py, "python3 -m gunicorn app:app", nil, "gunicorn"},
		{py, "python3 -m gunicorn.app.wsgiapp shop.wsgi", nil, "shop"},
		{py, "python3 -m uvicorn.__main__ app:app", nil, "uvicorn"},
		{py, "python3 /usr/bin/gunicorn app:app", shop, "shop"},
		{py, "python3 /usr/bin/gunicorn -w 4 -b 0.0.0.0:80 shop.wsgi:application", nil, "shop"},
		{py, "python3 /usr/bin/gunicorn --preload -w4 --worker-class gthread shop.wsgi", nil, "shop"},
		{py, "python3 /usr/bin/gunicorn --bind=:80 shop:create_app()", nil, "shop"},
		{py, "python3 /usr/bin/gunicorn -c conf.py --name orders shop.wsgi", nil, "orders"},
		{py, "gunicorn:~master~[shop.wsgi:application]", nil, "shop"},
		{py, "gunicorn:~worker~[app:app]", nil, "python3.13"},
		{py, "python3 /usr/bin/uvicorn main:app --reload", nil, "uvicorn"},
		{py, "python3 /usr/bin/uvicorn --host 0.0.0.0 --port 80 --workers 2 orders.main:app", nil, "orders"},
		{py, "python3 /usr/bin/uvicorn --reload --factory orders:make", nil, "orders"},
		{py, "python3 -m uvicorn orders.api:app", nil, "orders.api"},
		{py, "python3 /usr/bin/hypercorn -b :80 orders:app", nil, "orders"},
		{py, "python3 /usr/bin/daphne -b 0.0.0.0 -p 80 shop.asgi:application", nil, "shop"},
		{py, "python3 /usr/bin/waitress-serve --port=80 shop:app", nil, "shop"},
		{"/usr/bin/uwsgi-core", "uwsgi --http :80 --master --module shop.wsgi", nil, "shop"},
		{"/usr/bin/uwsgi", "uwsgi --ini x.ini", nil, "uwsgi"},
		{py, "python3 /usr/bin/celery -A shop worker -l info", nil, "shop"},
		{py, "python3 /usr/bin/celery --app=shop.celery_app beat", nil, "shop"},
		{py, "python3 /usr/bin/celery worker -A shop", nil, "shop"},
		{py, "python3 -m celery -A app worker", nil, "celery"},
		{py, "python3 /usr/bin/flask run", shop, "shop"},
		{py, "python3 /usr/bin/flask --app orders run -p 80", nil, "orders"},
		{py, "python3 -m flask --app orders.py run", nil, "orders"},
		{py, "python3 /usr/bin/flask run", nil, "flask"},
		{py, "python3 /usr/bin/fastapi run orders/main.py", shop, "orders"},
		{py, "python3 manage.py runserver 0.0.0.0:80", shop, "shop"},
		{py, "python3 manage.py runserver", nil, "manage"},
		{py, "python3 /usr/bin/ddtrace-run python3 worker.py", nil, "python3"},
		{py, "python3 /usr/bin/opentelemetry-instrument --traces_exporter otlp gunicorn shop.wsgi", nil, "shop"},
		{py, "python3 -m pdb -m shop.web", nil, "shop.web"},
		{py, "python3 -m debugpy --listen 5678 worker.py", nil, "worker"},
		{py, "python3 -m coverage run worker.py", nil, "worker"},
	})
}

func TestPythonRewritten(t *testing.T) {
	c := Command{Exe: "/usr/bin/python3", Args: []string{"python3", "-c", "from multiprocessing.spawn import spawn_main", "--multiprocessing-fork"}}
	if got := Told(c); got != "" {
		t.Errorf("a spawned helper is told by its arguments to be %q", got)
	}
}
