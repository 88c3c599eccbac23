# What has to be seen to in this Python before Dask speaks TLS. Executed before bootstrap.py or client.py, which share
# its names.
import functools
import sys


def prepare_tls(kind, arguments):
    """See to it that the component can speak TLS where it is to; exit with 78 and a sentence where it cannot."""
    options = dict(zip(arguments, arguments[1:]))
    if options.get("--protocol") not in ("tls", "wss"):
        return
    check_certificates(kind, options)
    keep_errors_apart()


def check_certificates(kind, options):
    """Have both ends of a connection shake hands within this process: Dask would try again and again.

    One Python is stricter than another: 3.13 wants certificates to say what they are for.
    """
    try:
        if not shake_hands(kind, options):
            files = "name --tls-ca-file, --tls-cert and --tls-key"
            advice = files if options["--protocol"] == "tls" else "name them in Dask's configuration"
            refuse_tls(f"neither options nor Dask's configuration name certificates for the {kind}; {advice}")
    except (OSError, ValueError, TypeError) as error:
        reason = getattr(error, "verify_message", None) or getattr(error, "reason", None) or error
        refuse_tls(f"the {kind}'s Python {sys.version.split()[0]} does not accept its certificate ({reason})")


def shake_hands(role, options):
    import ssl

    from distributed.security import Security

    named = {"tls_ca_file": "--tls-ca-file", f"tls_{role}_cert": "--tls-cert", f"tls_{role}_key": "--tls-key"}
    security = Security(**{field: options[flag] for field, flag in named.items() if flag in options})
    connects = security.get_connection_args(role)["ssl_context"]
    listens = security.get_listen_args(role)["ssl_context"]
    if connects is None or listens is None:
        return False
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [connects.wrap_bio(back, there), listens.wrap_bio(there, back, server_side=True)]
    for _ in range(20):
        ends = [end for end in ends if not has_shaken(end)]
    return True


def has_shaken(end):
    import ssl

    try:
        end.do_handshake()
        return True
    except ssl.SSLWantReadError:
        return False


def keep_errors_apart():
    """Have no connection fail because another one has (https://github.com/python/cpython/issues/148594).

    Since OpenSSL 3.4 a broken pipe stays in the thread's list of errors when Python has told of it, and the next read
    of any other connection takes it for its own: where one client goes away, all connections of a scheduler break.
    """
    import ssl

    if ssl.OPENSSL_VERSION_INFO < (3, 4):
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def clear_errors():
        try:
            # Python clears the list where it refuses ciphers.
            context.set_ciphers("NONE")
        except ssl.SSLError:
            pass

    def apart(method):
        @functools.wraps(method)
        def call(*args, **kwargs):
            try:
                return method(*args, **kwargs)
            except ssl.SSLError:
                # These are cleared.
                raise
            except OSError:
                clear_errors()
                raise

        return call

    for name in ("do_handshake", "read", "send", "unwrap", "write"):
        setattr(ssl.SSLSocket, name, apart(getattr(ssl.SSLSocket, name)))


def refuse_tls(why):
    print(f"Cannot use TLS: {why}", file=sys.stderr, flush=True)
    sys.exit(78)
