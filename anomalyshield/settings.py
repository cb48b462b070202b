"""Every setting, from the environment, with a default that works as cloned.

Without DATABASE_URL and REDIS_URL the embedded servers of `manage.py up` are used; their sockets
are read from `var/embedded.json`, so every command works while the platform runs.
"""

import json
import secrets
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from anomalyshield import env, languages

BASE_DIR = Path(__file__).resolve().parent.parent
env.load_dotenv(BASE_DIR / ".env")

# --- where things lie -----------------------------------------------------------------------------
# A relative folder is one in the project, wherever the command was typed.
VAR = BASE_DIR / env.text("ANOMALYSHIELD_VAR", "Folder for data, models, uploads and logs", "var")
BUNDLES = VAR / "models"
UPLOADS = VAR / "uploads"
LAKE = env.text(
    "ANOMALYSHIELD_LAKE", "Folder for a copy of each day's scored payments; none if empty"
)
LAKE = LAKE and str(BASE_DIR / LAKE)
LAKE_KIND = env.text(
    "ANOMALYSHIELD_LAKE_KIND", "parquet, or delta (pip install deltalake)", "parquet"
)


def _secret_key() -> str:
    """The key given, else one made on first use and kept in `var/secret_key` (0600)."""
    if given := env.text("SECRET_KEY", "Signs sessions, tokens and model bundles; 50+ characters"):
        return given
    path = VAR / "secret_key"
    if not path.exists():
        VAR.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(50), encoding="utf-8")
        try:
            # link() refuses to replace, so two processes starting at once agree on one key.
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text(encoding="utf-8").strip()


def _embedded() -> dict[str, str]:
    path = VAR / "embedded.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise env.BadSetting("DATABASE_URL must start with postgresql://; no other database works.")
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "anomaly_detection",
        "USER": unquote(parts.username or "postgres"),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(host),
        "PORT": str(parts.port or query.pop("port", "")),
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"options": _SESSION, "connect_timeout": 5, **query},
        "TEST": {"NAME": "test_" + (unquote(parts.path.lstrip("/")) or "anomaly_detection")},
    }


# A stuck statement or a forgotten transaction must never hold the platform (reliability 4.11).
_SESSION = (
    "-c statement_timeout=60000 -c lock_timeout=10000 "
    "-c idle_in_transaction_session_timeout=60000 -c timezone=UTC"
)
_NOWHERE = "postgresql://postgres@/anomaly_detection?host=/nonexistent/start-make-run-first"

_POSTGRES_URL = env.text("POSTGRES_URL", "Another name for DATABASE_URL")
DATABASE_URL = env.text("DATABASE_URL", "PostgreSQL 15+; empty: the embedded one") or _POSTGRES_URL
_REDIS_HOST = env.text("REDIS_HOST", "Valkey or Redis host, if REDIS_URL is not given")
GIVEN_REDIS_URL = env.text("REDIS_URL", "Valkey or Redis 7+; empty: the embedded one") or (
    f"redis://{_REDIS_HOST}:6379/0" if _REDIS_HOST else ""
)
DATABASES = {"default": _database(DATABASE_URL or _embedded().get("database", _NOWHERE))}
REDIS_URL = GIVEN_REDIS_URL or _embedded().get("redis", "redis://127.0.0.1:1/0")

# --- the processes of `manage.py up` --------------------------------------------------------------
HOST = env.text("HOST", "Address the pages and the API listen on; 0.0.0.0 for all", "127.0.0.1")
PORT = env.number("PORT", "Port of the pages and the API", 8000, least=1)
WEB_PROCESSES = env.number("WEB_PROCESSES", "Web processes, four threads each", 2, least=1)
WORKER_PROCESSES = env.number(
    "WORKER_PROCESSES", "Processes that do the queued work; one more trains", 2, least=1
)
PG_BIN = env.text(
    "ANOMALYSHIELD_PG_BIN", "Folder with initdb and postgres, instead of the packaged ones"
)

# --- Django ---------------------------------------------------------------------------------------
SECRET_KEY = _secret_key()
SECRET_KEY_FALLBACKS = env.words(
    "SECRET_KEY_FALLBACKS", "Former SECRET_KEYs, comma separated, until `manage.py reseal` is done"
)
ENVIRONMENT = env.text("ANOMALYSHIELD_ENV", "demo, production or test", "demo")
DEBUG = env.flag("DEBUG", "Django's debug pages; never in production")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "Host names served, comma separated", "*")
CSRF_TRUSTED_ORIGINS = env.words(
    "CSRF_TRUSTED_ORIGINS", "Origins behind a TLS proxy, with https://"
)

INSTALLED_APPS = [
    "anomalyshield",
    "anomalyshield.accounts",
    "anomalyshield.audit",
    "scoring",
    "alerts",
    "cases",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
]
MIDDLEWARE = [
    "anomalyshield.middleware.RequestId",
    "anomalyshield.afterwards.Afterwards",
    "anomalyshield.middleware.Counted",
    "anomalyshield.middleware.Straight",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "anomalyshield.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "anomalyshield.middleware.Language",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "anomalyshield.accounts.open_sessions.Seen",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "anomalyshield.middleware.Audited",
    "anomalyshield.middleware.InPlace",
]
ROOT_URLCONF = "anomalyshield.urls"
WSGI_APPLICATION = "anomalyshield.wsgi.application"
APPEND_SLASH = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "anomalyshield.navigation.navigation",
            ],
            "builtins": [
                "anomalyshield.templatetags.words",
                "scoring.templatetags.reasons",
                "django.templatetags.i18n",
            ],
        },
    }
]
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # each by its own name
LOCALE_PATHS = [languages.prepared(BASE_DIR / "locale", VAR / "locale")]
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "anomalyshield.vendored.VendoredFinder",
]
WHITENOISE_USE_FINDERS = ENVIRONMENT == "test" or DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 11 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_TEMP_DIR = None
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "scoring.receiving.CarefulHandler",
]

# --- people and keys ------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# NIST SP 800-63B: length and a blocklist, no composition rules, no forced rotation.
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "anomalyshield.accounts.passwords.NotGuessable"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "anomalyshield.accounts.adapter.ClosedAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_RATE_LIMITS = False  # counted by accounts/throttle.py, exactly, whatever the process
CSRF_FAILURE_VIEW = "anomalyshield.views.csrf_failure"
GUARDIAN_MONKEY_PATCH_USER = False
ANONYMOUS_USER_NAME = None
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
HTTPS = env.flag("ANOMALYSHIELD_HTTPS", "Served over TLS: secure cookies, HSTS, redirect")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
if HTTPS:  # a browser accepts these names only over TLS, for this host, from this host
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
X_FRAME_OPTIONS = "DENY"

# --- REST -----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "anomalyshield.accounts.authentication.ApiKeyAuthentication",
        "anomalyshield.accounts.authentication.Token",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["anomalyshield.accounts.permissions.RoleAllows"],
    "DEFAULT_PARSER_CLASSES": ["anomalyshield.strictjson.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "anomalyshield.rest.schema.Schema",
    "EXCEPTION_HANDLER": "anomalyshield.problems.problem_json",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(hours=12),
    "ALGORITHM": "HS256",
    "SIGNING_KEY": SECRET_KEY,
    "AUDIENCE": "anomalyshield",
    "ISSUER": "anomalyshield",
    "LEEWAY": 0,
    "CHECK_REVOKE_TOKEN": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AnomalyShield",
    "DESCRIPTION": (
        "Send transactions, get decisions with their reasons. Log in with an API key in "
        "`X-Api-Key`, or with a token of `POST /api/v1/auth/login`. JSON is read strictly; every "
        "refusal is `application/problem+json` with a `request_id`."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    # Choices stay where they are used: one name for two sets of them would have to be invented.
    "POSTPROCESSING_HOOKS": ["anomalyshield.rest.schema.completed"],
    "TAGS": [
        {"name": "scoring", "description": "Transactions in, decisions out"},
        {"name": "transactions", "description": "What was scored, as it was scored"},
        {"name": "anomalies", "description": "What was decided HIGH or CRITICAL"},
        {"name": "decisions", "description": "What was decided, and how it stands now"},
        {"name": "alerts", "description": "What wants a person"},
        {
            "name": "entities",
            "description": "Whom alerts are about, what is usual for them, and notes",
        },
        {"name": "routes", "description": "Which alerts go to which queue, tried beforehand"},
        {"name": "queues", "description": "The piles of alerts, and who works them"},
        {"name": "suppressions", "description": "What raises no alert for a while"},
        {"name": "playbooks", "description": "What to do about each kind of fraud"},
        {"name": "cases", "description": "Investigations, closed by two people"},
        {"name": "labels", "description": "What transactions turned out to be"},
        {"name": "corrections", "description": "What labels should say instead, by two people"},
        {"name": "reviews", "description": "Verdicts looked at again without knowing them"},
        {"name": "samples", "description": "Payments below the line, and what the alerts miss"},
        {"name": "questions", "description": "What models ask people about"},
        {"name": "lists", "description": "Who is always denied, and who allowed for a while"},
        {"name": "events", "description": "Transactions nobody waits for, decided afterwards"},
        {"name": "files", "description": "Many transactions at once"},
        {"name": "rates", "description": "What other currencies were worth, day by day"},
        {"name": "rejects", "description": "Records that were refused, to be mended and replayed"},
        {"name": "notices", "description": "Chargebacks and other late words about payments"},
        {"name": "hooks", "description": "Signed messages of other systems"},
        {"name": "sources", "description": "Where transactions come from"},
        {"name": "models", "description": "Versions, trainings, promotion by two people"},
        {"name": "features", "description": "What models may learn from, and who answers for it"},
        {"name": "pipelines", "description": "What of it they learn from, and how it is prepared"},
        {"name": "rules", "description": "Rules, thresholds, and every policy there was"},
        {"name": "analytics", "description": "Figures of what happened, and the same as files"},
        {"name": "costs", "description": "What fraud and the work against it cost, by two people"},
        {"name": "endpoints", "description": "Upstream systems that are told by webhooks"},
        {"name": "users", "description": "People and their roles"},
        {"name": "keys", "description": "Credentials of machines"},
        {"name": "me", "description": "Who asks, and where they are logged in"},
        {"name": "audit", "description": "Who did what, sealed"},
        {"name": "auth", "description": "Tokens for programs that act as a person"},
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
OPEN_SCORING = env.flag(
    "ANOMALYSHIELD_OPEN_SCORING",
    "Demo only: /detect and /predict without a credential, from this machine",
)
RATE_LIMIT = env.number(
    "ANOMALYSHIELD_RATE_LIMIT", "Requests a minute at the doors for events, per key", 6000, least=1
)
BACKLOG = env.number(
    "ANOMALYSHIELD_BACKLOG",
    "Events that may wait for their decision; beyond it their doors answer 503",
    200_000,
    least=1,
)
SCRAPE_TOKEN = env.text("ANOMALYSHIELD_SCRAPE_TOKEN", "Bearer token that may read /metrics")

# --- scoring --------------------------------------------------------------------------------------
BASE_CURRENCY = env.text(
    "ANOMALYSHIELD_CURRENCY", "ISO 4217 currency of features and limits", "USD"
)
SCORING_DEADLINE = (
    env.number(
        "ANOMALYSHIELD_DEADLINE_MS", "After this a score answers REVIEW, degraded", 250, least=1
    )
    / 1000
)
CHUNK_ROWS = env.number("ANOMALYSHIELD_CHUNK_ROWS", "Transactions scored per claim", 5000, least=1)
ALERT_BUDGET = env.text(
    "ANOMALYSHIELD_ALERT_BUDGET", "Share of transactions people can review; sets score 0.7", "0.005"
)
FOUR_EYES = env.flag(
    "ANOMALYSHIELD_FOUR_EYES", "A second person approves promotions and closures", True
)
UPDATES = env.flag(
    "ANOMALYSHIELD_UPDATES",
    "Each day the champion is updated in shadow and updates are judged",
    True,
)
INCONCLUSIVE = env.text(
    "ANOMALYSHIELD_INCONCLUSIVE", "What an inconclusive review does to a held payment", "hold"
)
if INCONCLUSIVE not in {"hold", "release"}:
    raise env.BadSetting(f"ANOMALYSHIELD_INCONCLUSIVE={INCONCLUSIVE!r}: use hold or release.")
KAFKA_SERVERS = env.text(
    "KAFKA_SERVERS", "Kafka brokers, host:port with commas: for topics that are told"
)
KAFKA_USERNAME = env.text("KAFKA_USERNAME", "User name there (SASL, SCRAM-SHA-512)")
KAFKA_PASSWORD = env.text("KAFKA_PASSWORD", "Password there")
KAFKA_TLS = env.flag("KAFKA_TLS", "TLS to them")
WEBHOOK_NETWORKS = env.networks(
    "ANOMALYSHIELD_WEBHOOK_NETWORKS", "Private networks webhooks may go to, like 10.1.0.0/16"
)
# Without a host letters are written to the log of the worker, where a demo can read them.
EMAIL_HOST = env.text("EMAIL_HOST", "SMTP server for reports; empty: letters go to the log")
EMAIL_PORT = env.number("EMAIL_PORT", "Its port; 465 is TLS from the start", 587, least=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "User name there")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "Password there")
DEFAULT_FROM_EMAIL = env.text(
    "EMAIL_FROM", "Sender of letters", "AnomalyShield <anomalyshield@localhost>"
)
EMAIL_USE_SSL = EMAIL_PORT == 465
EMAIL_USE_TLS = env.flag("EMAIL_TLS", "STARTTLS; not with port 465", True) and not EMAIL_USE_SSL
EMAIL_TIMEOUT = 20
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
REPORT_FONT = env.text(
    "ANOMALYSHIELD_REPORT_FONT", "TrueType file for PDFs, for scripts beyond Western Europe's"
)

# --- Celery: a bell, never a store (reliability section 4) ----------------------------------------
VISIBILITY_TIMEOUT = 60
# kombu has its own scheme for what redis-py calls unix://.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace(
    "?db=", "?virtual_host="
)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_WORKER_MAX_TASKS_PER_CHILD = 10_000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# All three, or the shortest of them wins (celery#7651).
_TRANSPORT = {
    "visibility_timeout": VISIBILITY_TIMEOUT,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}
CELERY_BROKER_TRANSPORT_OPTIONS = _TRANSPORT
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = _TRANSPORT
CELERY_VISIBILITY_TIMEOUT = VISIBILITY_TIMEOUT

# --- leases ---------------------------------------------------------------------------------------
LEASE_SECONDS = env.number(
    "ANOMALYSHIELD_LEASE_SECONDS", "A claim without a heartbeat ends", 30, least=2
)
HEARTBEAT_SECONDS = max(LEASE_SECONDS / 3, 0.5)
MAX_ATTEMPTS = 3

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "anomalyshield.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "Logging level", "INFO")},
}
