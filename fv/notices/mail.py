"""Hand one mail to the mail server. Only this module knows smtplib."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP

from fv.notices.smtp_url import MailServer

PATIENCE = 20  # seconds for each step


class NotSent(Exception):
    """The server cannot be reached, or did not take it. Says which of the two, and never what was sent."""


def send(server: MailServer, to: str, subject: str, text: str, id: str) -> None:
    """`id` names the event: a mail that had to be sent twice is recognised by it (RFC 5322 §3.6.4)."""
    sender = server.sender or f"facevault@{socket.getfqdn()}"
    message = EmailMessage(policy=SMTP)
    message["From"] = f"FaceVault <{sender}>"
    message["To"] = to
    message["Subject"] = f"FaceVault: {subject}"
    message["Message-ID"] = f"<{id}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no out-of-office answers
    message.set_content(text)
    with _session(server) as session:
        session.send_message(message)


def greet(server: MailServer) -> None:
    """Everything but a mail."""
    with _session(server) as session:
        session.noop()


@contextmanager
def _session(server: MailServer) -> Iterator[smtplib.SMTP]:
    try:
        with _connection(server) as session:
            _secure(session, server)
            yield session
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(type(error).__name__) from None


def _connection(server: MailServer) -> smtplib.SMTP:
    if server.is_tls:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=PATIENCE, context=ssl.create_default_context())
    return smtplib.SMTP(server.host, server.port, timeout=PATIENCE)


def _secure(session: smtplib.SMTP, server: MailServer) -> None:
    """TLS wherever it is offered; a password never goes without."""
    session.ehlo()
    if not server.is_tls and (server.user or session.has_extn("starttls")):
        session.starttls(context=ssl.create_default_context())  # an error when the server does not offer it
    if server.user and server.password:
        session.login(server.user, server.password)
