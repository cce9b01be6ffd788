# SPDX-License-Identifier: BSD-2-Clause
"""The far ends: nginx, certificates, and small servers of Python (peer_*.py) for what nginx
cannot be made to do."""
import os
import shutil

import world

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"

NGINX = """
user root;
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 256; }}
http {{
    access_log {access_log};
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000000;
    default_type application/octet-stream;
    server {{ {site} }}
}}
"""
SITE = """
        listen {address}:80;
        {tls}
        root {folder}/www;
        gzip_static off;
        location /moved {{ return 302 /1k.bin; }}
        location /moved-twice {{ return 301 /moved; }}
        location /loop {{ return 302 /loop; }}
        location /host {{ return 200 "host=$host requests=$connection_requests\\n"; }}
        location /gone {{ return 404 "gone\\n"; }}
        location /zipped {{ gzip on; gzip_min_length 1; gzip_types *; alias {folder}/www/; }}
        location /up/ {{ alias {folder}/up/; dav_methods PUT; client_max_body_size 0;
                         create_full_put_path on; }}
        location /limited {{ limit_rate 200k; alias {folder}/www/; }}
"""
TLS = """
        listen {address}:443 ssl http2;
        ssl_certificate {folder}/tls/server.pem;
        ssl_certificate_key {folder}/tls/server.key;
"""


def nginx(lab, node, address=world.SERVER, tls=False, site=SITE, access_log="access.log"):
    """nginx on port 80 (and 443) of an address, serving www/ of the case's folder. tls: True, or
    the only versions that it shall speak, as "TLSv1.3". site: the inside of its server block;
    access_log: "off", or a name in that folder."""
    if not shutil.which("nginx"):
        raise world.Skipped("nginx is not installed")
    for name in ("www", "up", "body", "proxy", "fastcgi", "uwsgi", "scgi"):
        os.makedirs(lab.path(name), exist_ok=True)
    text = TLS.format(folder=lab.folder, address=address) if tls else ""
    if isinstance(tls, str):
        text += f"        ssl_protocols {tls};\n"
    site = site.format(folder=lab.folder, address=address, tls=text)
    if access_log != "off":
        access_log = lab.path(access_log)
    conf = lab.write("nginx.conf", NGINX.format(folder=lab.folder, site=site,
                                                access_log=access_log))
    log = open(lab.path("nginx.log"), "wb")
    child = node.start("nginx", "-c", conf, "-p", lab.folder, "-e", lab.path("nginx-error.log"),
                       stdout=log, stderr=log)
    wait_listening(node, 80, child, lab.path("nginx.log"))
    return child


def wait_listening(node, port, child, log):
    def ready():
        if child.poll() is not None:
            with open(log, errors="replace") as text:
                raise world.Failed(f"the server ended: {text.read()[-400:]}")
        return f":{port} " in node.sh("ss", "-Htlnu" if port == 53 else "-Htln")
    world.wait_for(f"a listener on port {port}", ready)


def python_server(lab, node, script, *arguments, port):
    """One of the peer_*.py programs."""
    path = lab.path(script + ".log")
    with open(path, "wb") as log:
        child = node.start(PYTHON, os.path.join(HERE, script + ".py"), *map(str, arguments),
                           stdout=log, stderr=log)
    wait_listening(node, port, child, path)
    return child


def http_server(lab, node, folder, address=world.SERVER, port=8000):
    """python3's http.server."""
    path = lab.path("http.log")
    with open(path, "wb") as log:
        child = node.start(PYTHON, "-m", "http.server", str(port), "--bind", address,
                           "--directory", folder, stdout=log, stderr=log)
    wait_listening(node, port, child, path)
    return child


def certificates(lab, names=("lab.test",), days=2, ip=world.SERVER, self_signed=False):
    """tls/ca.pem, and tls/server.{pem,key} signed by it (or by themselves). days may be negative:
    expired before it was born."""
    os.makedirs(lab.path("tls"), exist_ok=True)
    ca, key, pem = (lab.path("tls/" + n) for n in ("ca.pem", "server.key", "server.pem"))
    lab.sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
           "-nodes", "-keyout", lab.path("tls/ca.key"), "-out", ca, "-days", "2",
           "-subj", "/CN=tern lab CA", "-addext", "basicConstraints=critical,CA:TRUE")
    lab.sh("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
           "-nodes", "-keyout", key, "-out", lab.path("tls/server.csr"), "-subj", f"/CN={names[0]}")
    alt = ",".join([f"DNS:{n}" for n in names] + ([f"IP:{ip}"] if ip else []))
    lab.write("tls/ext", f"subjectAltName={alt}\nbasicConstraints=CA:FALSE\n")
    signer = ["-signkey", key] if self_signed else \
        ["-CA", ca, "-CAkey", lab.path("tls/ca.key"), "-CAcreateserial"]
    lab.sh("openssl", "x509", "-req", "-in", lab.path("tls/server.csr"), "-out", pem,
           "-days", str(days), "-extfile", lab.path("tls/ext"), *signer)
    return ca


class Tern:
    """tern on the client's vA, with an address of its own."""

    def __init__(self, node, address=world.TERN_IP + "/24", interface="vA", flags=()):
        self.node = node
        self.flags = ["--interface", interface, "--address", address] + list(flags)

    def command(self, verb, *arguments):
        return [world.TERN, verb] + self.flags + list(map(str, arguments))

    def get(self, *arguments, **options):
        return self.node.run(*self.command("get", *arguments), **options)

    def start(self, verb, *arguments, **options):
        return self.node.start(*self.command(verb, *arguments), **options)

    def fetch(self, url, name, *arguments, **options):
        """Fetch to a file, which must succeed."""
        result = self.get("-sS", "-o", name, *arguments, url, **options)
        world.hold(f"tern get {url}", result.code == 0, result.text())
        return result


def listening(lab, client, flags=(), **options):
    """tern nc -l, once it listens."""
    with open(lab.path("nc.err"), "wb") as err:
        child = Tern(client, flags=flags).start("nc", "-v", "-N", "-l", 7000, stderr=err, **options)

    def ready():
        with open(lab.path("nc.err"), errors="replace") as words:
            return child.poll() is not None or "Listening" in words.read()
    world.wait_for("tern to listen", ready)
    return child


def url(path, address=world.SERVER, scheme="http"):
    return f"{scheme}://{address}{path}"


def curl(node, *arguments, **options):
    """The judge: curl over the kernel's TCP, in the same node."""
    return node.run("curl", "-q", "-sS", *map(str, arguments), **options)
