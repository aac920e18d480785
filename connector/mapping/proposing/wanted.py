"""What the tables and columns are called that Gong's types and fields are made of: tables of words, no behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector.facts import Looks
from connector.mapping.proposing.names import listed, words
from connector.object_types import ObjectType

Phrase = frozenset[str]


def _phrases(*names: str) -> tuple[Phrase, ...]:
    return tuple(frozenset(words(name.replace(" ", "_"))) for name in names)


def _words(text: str) -> frozenset[str]:
    return frozenset(word for name in text.split() for word in words(name))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A field, and what a column is called that holds it."""

    phrases: tuple[Phrase, ...]
    """The better ones first."""
    never: frozenset[str] = frozenset()
    """Words of columns that are something else."""
    looks: Looks | None = None
    """What its values look like; a column whose values do not is another thing."""


_ELSE: Final = _words("hash password flag type source status domain count template verified valid opt out token")

FIELDS: Final[Mapping[ObjectType, Mapping[str, Wanted]]] = {
    ObjectType.BUSINESS_USER: {
        "emailAddress": Wanted(_phrases("email", "email address", "login", "name"), _ELSE, Looks.EMAIL),
    },
    ObjectType.STAGE: {
        "name": Wanted(
            _phrases("name", "label", "title", "stage", "description", "full name"), _words("internal system")
        ),
        "sortOrder": Wanted(_phrases("order", "sort order", "position", "number"), _words("by")),
        "isActive": Wanted(_phrases("active", "is active")),
    },
    ObjectType.ACCOUNT: {
        "name": Wanted(
            _phrases("name", "account name", "full name", "legal name", "title", "label", "account"),
            _words("first last contact owner user manager short alias legal_form parent bank file branch"),
        ),
        "domains": Wanted(
            _phrases("domain", "website", "email domain", "url", "www", "internet"),
            _words("crm avatar logo image photo facebook linkedin twitter icon"),
            Looks.WEB,
        ),
    },
    ObjectType.CONTACT: {
        "emailAddress": Wanted(_phrases("email", "email address", "email normalized"), _ELSE, Looks.EMAIL),
        "firstName": Wanted(_phrases("first name", "first"), _words("middle last owner spouse assistant account")),
        "lastName": Wanted(_phrases("last name", "last"), _words("owner update at spouse assistant account contact")),
        "title": Wanted(
            _phrases("job title", "title", "job", "position", "role", "job position", "job name", "job description"),
            _words("salutation academic"),
        ),
        "phoneNumber": Wanted(
            _phrases(
                "phone",
                "phone number",
                "work phone",
                "business phone",
                "phone 1",
                "mobile",
                "mobile phone",
                "mobile number",
            ),
            _words("fax assistant extension home other type country call flag"),
        ),
    },
    ObjectType.DEAL: {
        "name": Wanted(
            _phrases("name", "title", "subject", "label", "description", "topic"),
            _words("file contact account first last owner user stage status currency source lead campaign"),
        ),
        "createdDate": Wanted(
            _phrases("create at", "create", "open at", "start at", "first at"), _words("by user"), Looks.MOMENT
        ),
        "closeDate": Wanted(
            _phrases(
                "close at",
                "expected close at",
                "close",
                "expected close",
                "deadline at",
                "deadline",
                "due at",
                "expected at",
                "target at",
                "decision at",
                "won at",
                "end at",
            ),
            _words("by reason flag status update next step"),
            Looks.MOMENT,
        ),
        "amount": Wanted(
            _phrases(
                "amount",
                "value",
                "deal value",
                "expected revenue",
                "revenue",
                "total amount",
                "total value",
                "total",
                "price",
                "net amount",
                "amount usd",
                "budget",
            ),
            _words("type currency rate count discount tax weighted code original local margin cost deposit"),
        ),
    },
    ObjectType.LEAD: {},
}

PERSON: Final = ("emailAddress", "firstName", "lastName", "title", "phoneNumber")

STAGE_COLUMN: Final = Wanted(
    _phrases("stage", "sales stage", "stage name", "pipeline stage", "stage code", "stage id", "step"),
    _words("at update by previous old probability last next history"),
)
"""What a deal's column is called that holds its stage, or names it."""

STATUS_COLUMN: Final = Wanted(
    _phrases("status", "state", "outcome", "result", "status code", "status name", "deal status", "status id"),
    _words("at update by previous old reason invoice payment order billing country address last next history approval"),
)
OWNER: Final = Wanted(
    _phrases(
        "owner",
        "assigned user",
        "assigned to",
        "assigned",
        "responsible user",
        "responsible",
        "sales user",
        "account manager",
        "manager",
        "sales person",
        "login",
    ),
    _words("create update delete approve by previous old co contact second technical support"),
)
ACCOUNT_LINK: Final = Wanted(
    _phrases("account", "related account", "customer account", "parent account", "employer"),
    _words("partner previous old referrer billing invoice reseller bank create update convert"),
)
CONTACT_LINK: Final = Wanted(
    _phrases("contact", "primary contact", "main contact", "buyer"), _words("partner previous old create update")
)

MODIFIED: Final = Wanted(
    _phrases("update at", "last update at", "update", "last update", "row update at", "at update", "sync at"),
    _words("by user create status stage price password email owner count number of login address"),
    Looks.MOMENT,
)
DELETED: Final = Wanted(
    _phrases("delete", "is delete", "delete flag", "delete at", "soft delete", "void", "flag delete at"),
    _words("by reason user can"),
)
ARCHIVED: Final = Wanted(_phrases("archive", "is archive", "archive at", "active", "is active"), _words("by user"))

SURE_WORDS: Final[Mapping[ObjectType, str]] = {
    ObjectType.BUSINESS_USER: "user",
    ObjectType.STAGE: "stage",
    ObjectType.ACCOUNT: "account",
    ObjectType.CONTACT: "contact",
    ObjectType.DEAL: "deal",
    ObjectType.LEAD: "lead",
}
"""What the things of a type are called."""

SIGNS: Final[Mapping[ObjectType, Mapping[str, float]]] = {
    ObjectType.BUSINESS_USER: {
        "email": 2,
        "login": 3,
        "password": 3,
        "role": 1,
        "last login": 1,
        "first name": 1,
        "last name": 1,
        "name": 1,
        "active": 1,
    },
    ObjectType.STAGE: {"name": 3, "order": 3, "position": 2, "probability": 2, "pipeline": 1, "won": 2, "label": 1},
    ObjectType.ACCOUNT: {
        "name": 2,
        "website": 3,
        "domain": 3,
        "industry": 2,
        "phone": 1,
        "address": 1,
        "city": 1,
        "country": 1,
        "employees": 1,
        "vat": 1,
        "revenue": 1,
    },
    ObjectType.CONTACT: {
        "first name": 3,
        "last name": 3,
        "email": 2,
        "phone": 1,
        "title": 1,
        "job": 1,
        "account": 3,
        "mobile": 1,
    },
    ObjectType.DEAL: {
        "amount": 3,
        "value": 2,
        "close at": 3,
        "stage": 3,
        "probability": 2,
        "account": 1,
        "owner": 1,
        "name": 1,
        "title": 1,
        "status": 1,
        "currency": 1,
    },
    ObjectType.LEAD: {
        "first name": 2,
        "last name": 2,
        "email": 2,
        "phone": 1,
        "source": 2,
        "status": 1,
        "account": 1,
        "convert": 3,
        "score": 1,
        "name": 1,
    },
}
"""Columns by which a table of a type is told, and how much each says."""

AGAINST: Final[Mapping[ObjectType, frozenset[str]]] = {
    ObjectType.ACCOUNT: _words("password login"),
    ObjectType.CONTACT: _words("password login"),
    ObjectType.DEAL: _words("password login"),
    ObjectType.LEAD: _words("password login"),
    ObjectType.STAGE: _words("password login email phone"),
    ObjectType.BUSINESS_USER: _words("amount stage website"),
}
"""Words of columns that a table of a type does not have."""

OTHER_TABLES: Final = _words(
    "history temporary item line tag role group permission setting preference session token team note task activity"
    " event call meeting attachment file field type source category link rel xref view report campaign comment"
    " description address email phone currency country message notification import filter team product log migration"
    " reason profile status"
)
"""Heads of the names of tables that hold something else about the things of a type."""

WON: Final = listed(
    "won win closedwon success successful signed gewonnen g gagne gagnee ganado ganada w ordered sold bought accepted"
)
LOST: Final = listed(
    "lost lose loss closedlost dead rejected cancelled canceled abandoned declined failed verloren"
    " perdu perdue perdido perdida l v disqualified dropped withdrawn archived duplicate"
)
OPEN: Final = listed(
    "open opened new active qualified qualification proposal negotiation discovery pending offen"
    " ouvert abierto o progress working prospecting running hold stalled"
)
"""Words of the states of a deal; each state is the one that a word of it says."""

TRUE_OF: Final = (("0", "1"), ("n", "y"), ("N", "Y"), ("f", "t"), ("F", "T"), ("no", "yes"), ("No", "Yes"),
                  ("NO", "YES"), ("false", "true"), ("FALSE", "TRUE"), ("False", "True"), ("n", "j"), ("N", "J"),
                  ("nein", "ja"), ("", "X"), ("", "x"))  # fmt: skip
"""What a flag says for no, and for yes."""
