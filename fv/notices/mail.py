"""Hand one mail to the mail server. Only this module knows smtplib."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime

from fv.notices.smtp_url import MailServer

PATIENCE = 20  # seconds for each step


class NotSent(Exception):
    """Says what the mail server did, as the rest of a sentence, and never what was sent."""


def send(server: MailServer, to: str, subject: str, text: str, id: str) -> None:
    """`id` names the event: a mail that had to be sent twice is recognised by it (RFC 5322 §3.6.4)."""
    with _session(server) as session:
        sender = server.sender or f"facevault@{socket.getfqdn()}"
        message = _message(sender, to, subject, text, id)
        session.send_message(message, from_addr=sender, to_addrs=[to])


def greet(server: MailServer) -> None:
    """Everything but a mail."""
    with _session(server) as session:
        session.noop()


def _message(sender: str, to: str, subject: str, text: str, id: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = Address("FaceVault", addr_spec=sender)
    message["To"] = Address(addr_spec=to)  # as it stands: nothing in it is decoded, and nobody else is added
    message["Subject"] = f"FaceVault: {subject}"
    message["Date"] = localtime()
    message["Message-ID"] = f"<{id}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no out-of-office answers
    message.set_content(text)
    return message


@contextmanager
def _session(server: MailServer) -> Iterator[smtplib.SMTP]:
    try:
        with closing(_connection(server)) as session:
            _secure(session, server)
            yield session
            with suppress(OSError):  # whatever it says now, it took what it was given
                session.quit()
    except smtplib.SMTPAuthenticationError:
        raise NotSent("refuses the name and the password") from None
    except smtplib.SMTPNotSupportedError:
        raise NotSent("offers no TLS, without which it gets no password") from None
    except ssl.SSLError:
        raise NotSent("shows a certificate that nobody vouches for") from None
    except smtplib.SMTPResponseException:
        raise NotSent("did not take it") from None
    except (OSError, smtplib.SMTPException):
        raise NotSent("does not answer") from None
    except Exception as error:  # of email, for an address or a host that it cannot write
        raise NotSent(f"cannot be told this ({type(error).__name__})") from None


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
