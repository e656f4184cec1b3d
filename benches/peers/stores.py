"""Builds from and into emulated object stores, looked at with the stores' own clients. See stores.sh."""

import json, os, pathlib, socket, subprocess, sys, threading, time, urllib.error, urllib.request

WORK, ANNOTC = pathlib.Path(sys.argv[1]), sys.argv[2]
AZURE_ACCOUNT = "devstoreaccount1"
# The key that the emulator publishes for everybody.
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class Proxy:
    """Hands a connection on to an emulator until so many bytes have gone up; then nobody is answered until it is mended."""

    def __init__(self, port):
        self.target, self.left, self.open = port, None, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.socket.accept()
            if self.left == 0:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.target))
            self.open += [client, server]
            threading.Thread(target=self.copy, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self.copy, args=(server, client, False), daemon=True).start()

    def copy(self, source, sink, up):
        try:
            while data := source.recv(65536):
                if up and self.left is not None:
                    self.left = max(0, self.left - len(data))
                    if self.left == 0:
                        return self.cut()
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        for end in self.open:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open = []


class S3:
    name, address = "moto, S3", "s3://bucket"

    def __init__(self):
        self.port = free_port()
        self.process = start([WORK / "venv/bin/moto_server", "-H", "127.0.0.1", "-p", str(self.port)], self.port)
        self.proxy = Proxy(self.port)
        import boto3

        self.client = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1",
            aws_access_key_id="AKIDPEER", aws_secret_access_key="s3cretpeer")
        self.client.create_bucket(Bucket="bucket")

    def env(self):
        return {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.proxy.port}", "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "AKIDPEER", "AWS_SECRET_ACCESS_KEY": "s3cretpeer"}

    def put(self, key, data):
        self.client.put_object(Bucket="bucket", Key=key, Body=data)

    def objects(self, prefix):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket="bucket", Prefix=prefix)
        keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
        return {key: self.client.get_object(Bucket="bucket", Key=key)["Body"].read() for key in keys}


class Google(S3):
    """Google's XML interface has the form of S3's: the client of `gs://` against a server of that form."""

    name, address = "moto, S3's form by the client of gs://", "gs://bucket"

    def env(self):
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        # The client signs its tokens itself; this server looks for some token and at none.
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        account = {"gcs_base_url": f"http://127.0.0.1:{self.proxy.port}", "client_email": "peer@example.org",
                   "private_key": key.decode(), "private_key_id": "1"}
        return {"GOOGLE_SERVICE_ACCOUNT_KEY": json.dumps(account)}


class Azure:
    name, address = "azurite, Azure", "az://bucket"

    def __init__(self):
        self.port = free_port()
        azurite = WORK / "npm/node_modules/.bin/azurite-blob"
        self.process = start([azurite, "--silent", "--blobHost", "127.0.0.1", "--blobPort", str(self.port),
                              "--location", WORK / "azurite", "--skipApiVersionCheck"], self.port)
        self.proxy = Proxy(self.port)
        from azure.storage.blob import BlobServiceClient

        service = BlobServiceClient(f"http://127.0.0.1:{self.port}/{AZURE_ACCOUNT}",
                                    credential={"account_name": AZURE_ACCOUNT, "account_key": AZURE_KEY})
        self.client = service.create_container("bucket")

    def env(self):
        return {"AZURE_STORAGE_ENDPOINT": f"http://127.0.0.1:{self.proxy.port}/{AZURE_ACCOUNT}", "AZURE_ALLOW_HTTP": "true",
                "AZURE_STORAGE_ACCOUNT_NAME": AZURE_ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": AZURE_KEY}

    def put(self, key, data):
        self.client.upload_blob(key, data, overwrite=True)

    def objects(self, prefix):
        return {blob.name: self.client.download_blob(blob.name).readall() for blob in self.client.list_blobs(prefix)}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def start(command, port):
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{command[0]} does not listen")


failed = 0


def check(what, holds, more=""):
    global failed
    failed += not holds
    print(f"  {'yes' if holds else 'NO '}  {what}{': ' + more if more else ''}", flush=True)
    return holds


def texts(word):
    line = lambda i: json.dumps({"text": f"{word} number {i} " + "some words of a record " * 20, "n": i})
    return "".join(line(i) + "\n" for i in range(40_000)).encode()


def try_store(store):
    print(f"{store.name} ({store.address})")
    folder = WORK / store.address.replace("://", "-")
    folder.mkdir()
    out = f"{store.address}/out"
    env = {**os.environ, **store.env(), "ANNOTC_CACHE": str(folder / "cache"), "NO_COLOR": "1", "NO_PROXY": "127.0.0.1"}

    def annotc(*args):
        run = subprocess.run([ANNOTC, *args], cwd=folder, env=env, capture_output=True, text=True)
        told = run.stdout + run.stderr
        for secret in ("s3cretpeer", AZURE_KEY):
            assert secret not in told, told
        return run.returncode, told

    def tree():
        base = folder / "local"
        files = [path for path in base.rglob("*") if path.is_file() and not path.name.startswith(".")]
        return {f"out/{path.relative_to(base)}": path.read_bytes() for path in files}

    def spec(limit):
        (folder / "spec.annot").write_text(
            f'annot 1\nsource s {{ path "{store.address}/data/*.jsonl"; license "MIT"; fields {{ text: string; n: int }} }}\n'
            f'clean c {{ drop "small" when n < {limit} }}\n'
            'dataset d { from s; clean c; split train 90%, test 10% seed 7; write jsonl; write parquet }\n')

    store.put("data/a.jsonl", texts("a"))
    store.put("data/b c.jsonl", texts("b"))
    spec(10)
    status, told = annotc("build", "spec.annot", "--out", "local")
    check("sources are read", status == 0, "" if status == 0 else told)
    status, told = annotc("build", "spec.annot", "--out", out)
    old = store.objects("out/")
    sizes = sorted(map(len, old.values()))[-1:] or [0]
    check("published, and the bytes are those of a folder", status == 0 and old == tree() and bool(old),
          f"{len(old)} objects, the largest of {sizes[0] / 1e6:.0f} MB" if status == 0 else told)
    status, told = annotc("build", "spec.annot", "--out", out)
    check("an unchanged build sends nothing", status == 0 and "Unchanged" in told and "Published" not in told)
    status, told = annotc("stats", "spec.annot", "--out", out)
    check("stats reads it", status == 0 and "79,980 records" in told)
    status, told = annotc("trace", f"{store.address}/data/a.jsonl:3", "--out", out)
    check("trace reads it", status == 0 and "dropped by small" in told)

    spec(2000)
    store.proxy.left = 20_000_000
    status, told = annotc("build", "spec.annot", "--out", out)
    store.proxy.left = None
    error = next((line for line in told.splitlines() if line.startswith("error")), told)
    check("cut after 20 MB went up: status 4", status == 4, error)
    check("the old data set is as it was", store.objects("out/") == old and bool(old))
    status, told = annotc("build", "spec.annot", "--out", out)
    check("built again: published without computing", status == 0 and "Built" not in told and "Published" in told)
    annotc("build", "spec.annot", "--out", "local")
    now = store.objects("out/")
    check("and the bytes are those of a folder", now == tree() and now != old)
    status, told = annotc("build", "spec.annot", "--out", f"{store.address.replace('bucket', 'none')}/out")
    error = next((line for line in told.splitlines() if line.startswith("error")), told)
    check("a bucket that is not there: status 4", status == 4, error)
    store.process.kill()


def try_google():
    """The emulator for Google: `object_store` speaks the XML interface, and lists by it."""
    port = free_port()
    process = start([WORK / "venv/bin/gcp-storage-emulator", "start", "--host", "127.0.0.1", "--port", str(port),
                     "--in-memory", "--default-bucket", "bucket"], port)
    print("gcp-storage-emulator, Google (gs://bucket)")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/bucket?list-type=2") as answer:
            print(f"  it lists by the XML interface: status {answer.status}")
    except urllib.error.HTTPError as error:
        print(f"  it does not list by the XML interface (status {error.code}), so that nothing can be built from it or into it")
    process.kill()


for store in (S3, Azure, Google):
    try_store(store())
try_google()
sys.exit(failed > 0)
