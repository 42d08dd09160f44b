"""Images from a real registry with TLS and basic authentication."""

import os
import subprocess
import time

import pytest

from cluster import eventually, free_port
from test_kubectl import pod

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def registry(cluster, archives, tmp_path_factory):
    directory = tmp_path_factory.mktemp("registry")
    port = free_port()
    address = f"127.0.0.1:{port}"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=registry", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{directory}/key.pem",
                    "-out", f"{directory}/cert.pem"], check=True, capture_output=True)
    passwords = subprocess.run(["htpasswd", "-Bbn", "user", "secret"], check=True, capture_output=True, text=True).stdout
    (directory / "htpasswd").write_text(passwords)
    (directory / "config.yml").write_text(f"""
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {directory}/data}}}}
auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}
http: {{addr: "{address}", tls: {{certificate: {directory}/cert.pem, key: {directory}/key.pem}}}}
""")
    process = subprocess.Popen(["docker-registry", "serve", f"{directory}/config.yml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        trusted = f"{cluster.data}/registries/{address}"
        os.makedirs(trusted, exist_ok=True)
        with open(f"{trusted}/hosts.toml", "w") as f:
            f.write(f'server = "https://{address}"\n[host."https://{address}"]\n  ca = "{directory}/cert.pem"\n')
        image = f"{address}/team/app:1"

        def pushed():
            result = subprocess.run(["skopeo", "copy", "--dest-creds", "user:secret", "--dest-tls-verify=false",
                                     f"docker-archive:{archives['busybox']}", f"docker://{image}"], capture_output=True, text=True)
            assert result.returncode == 0, result.stderr
            return True
        eventually(pushed, 30, 0.5)
        yield image
    finally:
        process.terminate()
        process.wait()


def test_a_private_image_needs_its_pull_secret(cluster, namespace, registry):
    c = cluster
    c.apply(pod("without", namespace) | {"spec": {"containers": [{"name": "main", "image": registry, "command": ["sleep", "3600"]}]}})
    eventually(lambda: any(r == "Failed" and "Failed to pull image" in m for _, r, m in c.events(namespace, "without")), 60)

    c.kubectl("create", "secret", "docker-registry", "pull", "-n", namespace, f"--docker-server={registry.split('/')[0]}",
              "--docker-username=user", "--docker-password=secret")
    manifest = pod("with", namespace, imagePullSecrets=[{"name": "pull"}])
    manifest["spec"]["containers"][0].update(image=registry, imagePullPolicy="Always")
    c.apply(manifest)
    c.wait_pod(namespace, "with", "Running", 90)
    c.wait_event(namespace, "with", "Pulled", f'Successfully pulled image "{registry}" in ')
