"""Promise 5 and 10: after a whole life of an account, its secrets are nowhere in clear."""

from pathlib import Path
from urllib.parse import quote

import pyotp
import pytest

from tests.conftest import PASSWORD
from tests.test_serving import enrolled, next_code, pending


def test_database_wal_log_and_pages_hold_no_secret_no_code_and_no_password(serve):
    server = serve()
    ada = server.client()
    secret, codes = enrolled(ada)
    key = ada.post("/api/v1/keys", json={"name": "server"}).json()["secret"]
    pages = [ada.get(path).text for path in ("/dashboard", "/keys", "/account", "/setup", "/setup/codes", "/api/v1/me")]
    pages.append(ada.get("/api/v1/keys").text)
    typed = [next_code(secret), "000000", codes[0], codes[1].lower(), "wrong password of ada"]
    for code in typed[:4]:
        again = pending(server)
        pages.append(again.post("/login/code", data={"code": code}).text)
    pages.append(server.client().post("/login", data={"email": "ada@example.org", "password": typed[4]}).text)
    pages.append(server.client().get("/api/v1/keys", headers={"Authorization": f"Bearer {key}"}).text)
    link = server.run("accounts", "set-password", "ada@example.org").stdout.strip()
    token, new_password = link.rpartition("/")[2], "a password that was set by a link"
    pages.append(server.client().post(link, data={"password": new_password}).text)
    reset = server.run("support", "re-enrol", "ada@example.org", "--ticket", "T", "--verified", "V", "--yes")
    code = reset.stdout.split()[-1]
    again = server.client()
    again.post("/login", data={"email": "ada@example.org", "password": new_password})
    pages.append(again.get("/setup").text)
    pages.append(again.post("/setup", data={"re_enrolment_code": code}).text)
    pages.append(server.run("support", "show", "ada@example.org").stdout + server.run("doctor").stdout)
    pages.append(server.run("audit", "export").stdout)

    files = {file.name: file.read_bytes() for file in server.instance.iterdir() if file.is_file()}
    assert {"facevault.db", "facevault.db-wal", "secret.key", "audit.head", "address"} <= set(files)
    assert b"ada@example.org" in files["facevault.db"] + files["facevault.db-wal"], "the search can find what is there"
    private = [secret, PASSWORD, key[12:], typed[4], *codes, *(code.lower() for code in codes)]
    private += [token, new_password, quote(new_password), code, code.replace("-", "")]
    private += [quote(PASSWORD), PASSWORD.replace(" ", "+"), pyotp.TOTP(secret).byte_secret().decode("latin-1")]
    for text in private:
        raw = text.encode("latin-1")
        assert not [name for name, content in files.items() if raw in content], f"{text[:2]}… is in a file"
        assert raw not in server.log.read_bytes(), f"{text[:2]}… is in the log"
        assert not [page for page in pages if text in page], f"{text[:2]}… is on a page"

    server.stop()
    left = [
        file
        for file in server.instance.rglob("*")
        if file.is_file() and any(text.encode("latin-1") in file.read_bytes() for text in private)
    ]
    assert left == []
    cookies = " ".join(str(cookie.value) for client in server.clients for cookie in client.cookies.jar)
    assert not [text for text in private if text in cookies]


@pytest.mark.long
def test_swapping_the_sealed_secrets_of_two_accounts_opens_neither(serve):
    from fv.db import sqlite

    server = serve()
    secrets = {email: enrolled(server.client(), email)[0] for email in ("ada@example.org", "eve@example.org")}
    connection = sqlite.connect(Path(server.instance) / "facevault.db")
    one, two = connection.execute("SELECT account_id, sealed_secret FROM authenticators").fetchall()
    for account, sealed in ((one[0], two[1]), (two[0], one[1])):
        connection.execute("UPDATE authenticators SET sealed_secret = ? WHERE account_id = ?", (sealed, account))
    connection.close()
    for email in secrets:
        for secret in secrets.values():
            answer = pending(server, email).post("/login/code", data={"code": next_code(secret)})
            assert answer.status_code == 500 and secret not in answer.text
