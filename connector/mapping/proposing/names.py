"""What names of tables and columns mean: their words, with abbreviations, synonyms and plurals made one. Pure.

`cust_nm`, `CustomerName` and `kundenname` are all (account, name).
"""

import re
from collections import Counter
from collections.abc import Collection
from functools import cache
from typing import Final


def listed(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


_SPELLINGS: Final = {
    "account": "account acct acc accnt client customer cust cst company comp organization organisation org firm firma"
    " kd business corporation kunde kunden societe empresa cliente klant klanten bedrijf unternehmen employer mandant",
    "contact": "contact ctct cont person people ppl persons pers ansprechpartner kontakt kontakte contacto"
    " contactpersoon contactperson personne persona anspr",
    "deal": "deal opportunity opp oppty opps opty verkaufschance chance affaire oportunidad verkaufskans pursuit",
    "lead": "lead prospect prosp inquiry enquiry interessent interess suspect",
    "user": "user usr employee emp staff rep salesperson salesman slsmn seller benutzer mitarbeiter utilisateur usuario"
    " gebruiker medewerker vendeur personnel",
    "stage": "stage stg phase etape etapa fase",
    "status": "status stat sts state outcome zustand estado statut",
    "email": "email mail eml courriel correo emailaddress",
    "name": "name nm nme nom nombre naam bezeichnung bez",
    "label": "label caption txt text",
    "first": "first given fst",
    "last": "last family lst latest",
    "full": "full display complete",
    "title": "title ttl titel",
    "job": "job function occupation profession funktion fkt",
    "phone": "phone tel telephone telefon telefono telefoon ph phn fon",
    "mobile": "mobile cell cellphone mob handy portable gsm",
    "amount": "amount amt betrag montant importe bedrag amnt vol volumen",
    "value": "value val worth wert",
    "close": "close closed closing closes cls clsd clos abschluss abschl",
    "expected": "expected exp expect est estimated forecast anticipated erwartet",
    "create": "create created creation crt crtd cre creat inserted insert ins entered entry added erstellt angelegt"
    " anl anlage erfasst aangemaakt",
    "update": "update updated upd updt modified modify modif mod change changed chg chgd edited touched written write"
    " geaendert gewijzigd actualizado maj updating amended aend aenderung",
    "delete": "delete deleted del dlt deletion removed remove erased geloescht supprime borrado trashed"
    " verwijderd loe loesch",
    "active": "active activ enabled aktiv actif activo actief",
    "archive": "archive archived",
    "flag": "flag flg ind indicator yn bool is",
    "at": "at on date dt dte time ts tm tms timestamp datetime datum dat day when utc stamp fecha",
    "id": "id ids key pk fk uuid guid uid ident sid",
    "number": "number no nr num nbr numero nummer",
    "code": "code cd kz kennz kennzeichen",
    "owner": "owner own owned besitzer",
    "assigned": "assigned assignee assign",
    "responsible": "responsible resp handler",
    "manager": "manager mgr mngr",
    "sales": "sales sls sale vertrieb",
    "domain": "domain",
    "website": "website web homepage www webseite",
    "url": "url uri link",
    "order": "order ord sort seq sequence rank ordinal weight reihenfolge index idx",
    "position": "position pos",
    "won": "won win",
    "lost": "lost lose loss",
    "open": "open opened",
    "primary": "primary prim main default",
    "convert": "converted convert conv conversion",
    "parent": "parent",
    "address": "address addr adr adresse",
    "login": "login username loginname",
    "password": "password passwd pwd pass",
    "probability": "probability prob likelihood wkeit wahrscheinlichkeit",
    "currency": "currency curr ccy waehrung devise moneda valuta",
    "revenue": "revenue rev turnover umsatz",
    "price": "price prc",
    "total": "total tot gross",
    "pipeline": "pipeline funnel",
    "description": "description descr desc note notes comment comments remark remarks",
    "type": "type typ kind category cat class",
    "source": "source src origin channel herkunft herk",
    "industry": "industry sector branche vertical",
    "history": "history hist log audit changelog journal revision version trail",
    "temporary": "tmp temp bak backup old staging import imported copy test draft",
}
_SEVERAL: Final = {
    "firstname": ("first", "name"),
    "fname": ("first", "name"),
    "fnm": ("first", "name"),
    "forename": ("first", "name"),
    "vorname": ("first", "name"),
    "vorn": ("first", "name"),
    "prenom": ("first", "name"),
    "voornaam": ("first", "name"),
    "lastname": ("last", "name"),
    "lname": ("last", "name"),
    "lnm": ("last", "name"),
    "surname": ("last", "name"),
    "nachname": ("last", "name"),
    "nachn": ("last", "name"),
    "achternaam": ("last", "name"),
    "apellido": ("last", "name"),
    "fullname": ("full", "name"),
    "jobtitle": ("job", "title"),
    "mtime": ("update", "at"),
    "ctime": ("create", "at"),
    "lastmod": ("last", "update"),
    "sortorder": ("order",),
    "salesrep": ("sales", "user"),
    "username": ("login",),
}
_MEANS: Final = {spelling: word for word, spellings in _SPELLINGS.items() for spelling in spellings.split()}

NOISE: Final = listed(
    "tbl tb t tab table crm app mst mstr master hdr header data info main list record rec vw view v"
    " all dim fact public dbo sys ent entity x the of a"
)
"""Words that say nothing of what a table holds."""

KEYISH: Final = frozenset({"id", "number", "code"})
"""Words of columns that name a row."""

_PLAIN: Final = str.maketrans("éèêëáàâíïóôúçñ", "eeeeaaaiioouc" + "n") | {
    ord(letter): plain for letter, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"))
}
_SHORTEST: Final = 3
_ENDINGS: Final = frozenset({"id", "no", "nr", "nm", "dt", "at", "on", "cd", "kz"})


@cache
def words(name: str) -> tuple[str, ...]:
    """Return the words of a name, in order, each in the one form that its synonyms share."""
    found: list[str] = []
    for token in tokens(name):
        found += _meaning(token)
    return tuple(found)


@cache
def tokens(name: str) -> tuple[str, ...]:
    """Return the parts of a name as they are written, in small letters."""
    plain = name.rpartition(".")[2].translate(_PLAIN)
    plain = re.sub(r"(?i)(?<![a-z])e[-_ ]?mail", "email", plain)
    plain = re.sub(r"(?i)(web[-_ ]?(site|page)|home[-_ ]?page)", "website", plain)
    plain = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", plain))
    return tuple(part.lower() for part in re.findall(r"[A-Za-z]+|\d+", plain))


def common_prefix(names: Collection[str]) -> str | None:
    """Return the part that most names begin with (`cust` of `cust_nm`, `cust_no`), which tells nothing then."""
    firsts = [parts[0] for name in names if len(parts := tokens(name)) > 1]
    total = len(names)
    if not firsts:
        return None
    first, times = Counter(firsts).most_common(1)[0]
    return first if times == total >= 3 or (times >= 4 and times >= 0.6 * total) else None


def _meaning(token: str) -> tuple[str, ...]:
    known = _known(token)
    if known:
        return known
    return _split(token) or (_singular(token),)


def _known(token: str) -> tuple[str, ...]:
    for form in (token, _singular(token), token.removesuffix("n"), token.removesuffix("en")):
        if form in _SEVERAL:
            return _SEVERAL[form]
        if form in _MEANS:
            return (_MEANS[form],)
    return ()


def _singular(token: str) -> str:
    if token.endswith("ies") and len(token) > 4:
        return token[:-3] + "y"
    if token.endswith(("sses", "xes", "ches", "shes")):
        return token[:-2]
    return token[:-1] if token.endswith("s") and not token.endswith(("ss", "us", "is")) else token


@cache
def _split(token: str) -> tuple[str, ...]:
    """Return the words of a name that was written without breaks (`closedate`); empty where it is no such thing."""
    for cut in range(len(token) - 2, _SHORTEST - 1, -1):
        head, tail = token[:cut], token[cut:]
        if len(tail) < _SHORTEST and tail not in _ENDINGS:
            continue
        rest = _known(tail) or _split(tail)
        if rest and (first := _known(head)):
            return (*first, *rest)
    return ()
