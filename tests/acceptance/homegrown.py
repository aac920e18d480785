"""CRMs that somebody made at home, and what a person who knows them would map.

Each schema is written as lines: a table, then its columns with type, key or reference, and what its rows hold. What is
right stands below it: for each type the table, key, stamp, soft delete, and the column of each field; `via TABLE` for
what comes from another one.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

MONEY = "DECIMAL(14, 2)"
TYPES = {
    "postgresql": {"int": "INTEGER", "ts": "TIMESTAMP", "bool": "BOOLEAN", "money": MONEY},
    "mysql": {"int": "INTEGER", "ts": "DATETIME", "bool": "TINYINT(1)", "money": MONEY},
    "sqlite": {"int": "INTEGER", "ts": "TIMESTAMP", "bool": "BOOLEAN", "money": MONEY},
}
ROWS = 24


@dataclass(frozen=True)
class Schema:
    """A CRM, and its right mapping."""

    name: str
    tables: str
    right: str


TIDY = Schema(
    "tidy",
    """
users
  id int pk = seq
  email text = email
  full_name text = person
  is_active bool = true
  created_at ts = time
  updated_at ts = time
pipeline_stages 6
  id int pk = seq
  name text = Discovery|Qualified|Proposal|Negotiation|Won|Lost
  position int = seq
  updated_at ts = time
companies
  id int pk = seq
  name text = company
  website text = web
  industry text = Retail|Software|Steel
  annual_revenue money = money
  owner_id int ->users = ref
  created_at ts = time
  updated_at ts = time
  deleted_at ts = rarely
contacts
  id int pk = seq
  company_id int ->companies = ref
  first_name text = first
  last_name text = last
  email text = email
  phone text = phone
  job_title text = CEO|CFO|Buyer
  newsletter bool = true
  created_at ts = time
  updated_at ts = time
  deleted_at ts = rarely
deals
  id int pk = seq
  name text = words
  company_id int ->companies = ref
  primary_contact_id int ->contacts = ref
  owner_id int ->users = ref
  created_by_id int ->users = ref
  stage_id int ->pipeline_stages = ref6
  status text = open|won|lost
  amount money = money
  currency text = EUR
  expected_close_date date = day
  created_at ts = time
  updated_at ts = time
  deleted_at ts = rarely
leads
  id int pk = seq
  first_name text = first
  last_name text = last
  email text = email
  phone text = phone
  title text = CEO|Buyer
  source text = web|fair
  converted_contact_id int ->contacts = ref
  converted_company_id int ->companies = ref
  converted_deal_id int ->deals = ref
  created_at ts = time
  updated_at ts = time
  deleted_at ts = rarely
deal_notes
  id int pk = seq
  deal_id int ->deals = ref
  body text = words
  created_at ts = time
  updated_at ts = time
audit_log
  id int pk = seq
  user_id int ->users = ref
  entity text = deal|contact
  created_at ts = time
""",
    """
BUSINESS_USER users id updated_at -
  emailAddress email
STAGE pipeline_stages id updated_at -
  name name
  sortOrder position
ACCOUNT companies id updated_at deleted_at
  name name
  domains website
CONTACT contacts id updated_at deleted_at
  accountId company_id
  emailAddress email
  firstName first_name
  lastName last_name
  title job_title
  phoneNumber phone
DEAL deals id updated_at deleted_at
  accountId company_id
  ownerId owner_id
  name name
  createdDate created_at
  closeDate expected_close_date
  status status
  stage stage_id
  amount amount
LEAD leads id updated_at deleted_at
  emailAddress email
  firstName first_name
  lastName last_name
  title title
  phoneNumber phone
  convertedToContactId converted_contact_id
  convertedToAccountId converted_company_id
  convertedToDealId converted_deal_id
""",
)

UGLY = Schema(
    "ugly",
    """
tbl_emp
  emp_no int = seq
  emp_login text = login
  emp_eml text = email
  emp_nm text = person
  del_flg text = N
tbl_cust
  cust_no int = seq
  cust_nm text = company
  cust_www text = web
  cust_cat text = A|B|C
  crt_dt ts = time
  lst_upd_dt ts = time
  del_flg text = N|Y
tbl_ppl
  ppl_no int = seq
  fnm text = first
  lnm text = last
  eml text = email
  tel_no text = phone
  fax_no text = phone
  job text = CEO|Buyer
  lst_upd_dt ts = time
  del_flg text = N|N|Y
tbl_ppl_cust
  ppl_no int = seq
  cust_no int = ref
  prim_flg text = Y|N
  lst_upd_dt ts = time
tbl_opp_hdr
  opp_no int = seq
  opp_desc text = words
  cust_no int = ref
  sls_rep_no int = ref
  sts_cd int = one6
  opp_amt money = money
  opp_prob int = pct
  exp_cls_dt date = day
  crt_dt ts = time
  crt_emp_no int = ref
  lst_upd_dt ts = time
  del_flg text = N|Y
tbl_opp_sts 6
  sts_cd int pk = seq
  sts_txt text = New|Offer sent|In negotiation|On hold|Won|Lost
tbl_opp_itm
  opp_no int = ref
  itm_no int = seq
  prod_cd text = P1|P2
  qty int = ref
  amt money = money
tbl_prospect
  prosp_no int = seq
  fnm text = first
  lnm text = last
  eml_addr text = email
  mob_no text = phone
  src_cd text = W|F
  lst_upd_dt ts = time
  del_flg text = N
tbl_cust_bak
  cust_no int = seq
  cust_nm text = company
  cust_www text = web
  lst_upd_dt ts = time
x_parm
  parm_cd text = words
  parm_val text = words
""",
    """
BUSINESS_USER tbl_emp emp_no - del_flg
  emailAddress emp_eml
STAGE tbl_opp_sts sts_cd - -
  name sts_txt
ACCOUNT tbl_cust cust_no lst_upd_dt del_flg
  name cust_nm
  domains cust_www
CONTACT tbl_ppl ppl_no lst_upd_dt del_flg
  accountId via tbl_ppl_cust
  emailAddress eml
  firstName fnm
  lastName lnm
  title job
  phoneNumber tel_no
DEAL tbl_opp_hdr opp_no lst_upd_dt del_flg
  accountId cust_no
  ownerId sls_rep_no
  name opp_desc
  createdDate crt_dt
  closeDate exp_cls_dt
  status sts_cd
  stage sts_cd
  amount opp_amt
LEAD tbl_prospect prosp_no lst_upd_dt del_flg
  emailAddress eml_addr
  firstName fnm
  lastName lnm
  phoneNumber mob_no
""",
)

CAMEL = Schema(
    "camel",
    """
Employees
  EmployeeID int pk = seq
  FirstName text = first
  LastName text = last
  WorkEmail text = email
  LastModifiedOn ts = time
Customers
  CustomerID int pk = seq
  CompanyName text = company
  HomePage text = web
  Country text = DE|FR
  LastModifiedOn ts = time
  IsDeleted bool = no
CustomerContacts
  ContactID int pk = seq
  CustomerID int ->Customers = ref
  FullName text = person
  JobTitle text = CEO|Buyer
  EmailAddress text = email
  DirectPhone text = phone
  LastModifiedOn ts = time
  IsDeleted bool = no
Opportunities
  OpportunityID int pk = seq
  Subject text = words
  CustomerID int ->Customers = ref
  SalesPersonID int ->Employees = ref
  SalesStage text = Prospect|Pitch|Contract|Closed Won|Closed Lost
  EstimatedValue money = money
  EstimatedCloseDate date = day
  DateCreated ts = time
  CreatedBy int ->Employees = ref
  LastModifiedOn ts = time
  IsDeleted bool = no
OpportunityHistory
  HistoryID int pk = seq
  OpportunityID int ->Opportunities = ref
  SalesStage text = Prospect|Pitch
  ChangedOn ts = time
""",
    """
BUSINESS_USER Employees EmployeeID LastModifiedOn -
  emailAddress WorkEmail
STAGE rows - - -
ACCOUNT Customers CustomerID LastModifiedOn IsDeleted
  name CompanyName
  domains HomePage
CONTACT CustomerContacts ContactID LastModifiedOn IsDeleted
  accountId CustomerID
  emailAddress EmailAddress
  lastName FullName
  title JobTitle
  phoneNumber DirectPhone
DEAL Opportunities OpportunityID LastModifiedOn IsDeleted
  accountId CustomerID
  ownerId SalesPersonID
  name Subject
  createdDate DateCreated
  closeDate EstimatedCloseDate
  status SalesStage
  stage SalesStage
  amount EstimatedValue
""",
)

GERMAN = Schema(
    "german",
    """
mitarbeiter
  id int pk = seq
  kuerzel text = login
  email text = email
  vorname text = first
  nachname text = last
kunden
  kundennr int pk = seq
  firma text = company
  webseite text = web
  ort text = Bonn|Köln
  angelegt_am ts = time
  geaendert_am ts = time
  geloescht bool = no
ansprechpartner
  id int pk = seq
  kundennr int ->kunden = ref
  vorname text = first
  nachname text = last
  email text = email
  telefon text = phone
  funktion text = CEO|Buyer
  geaendert_am ts = time
  geloescht bool = no
verkaufschancen
  id int pk = seq
  bezeichnung text = words
  kundennr int ->kunden = ref
  mitarbeiter_id int ->mitarbeiter = ref
  phase text = Erstkontakt|Angebot|Verhandlung|Gewonnen|Verloren
  betrag money = money
  abschluss_datum date = day
  angelegt_am ts = time
  geaendert_am ts = time
  geloescht bool = no
""",
    """
BUSINESS_USER mitarbeiter id - -
  emailAddress email
STAGE rows - - -
ACCOUNT kunden kundennr geaendert_am geloescht
  name firma
  domains webseite
CONTACT ansprechpartner id geaendert_am geloescht
  accountId kundennr
  emailAddress email
  firstName vorname
  lastName nachname
  title funktion
  phoneNumber telefon
DEAL verkaufschancen id geaendert_am geloescht
  accountId kundennr
  ownerId mitarbeiter_id
  name bezeichnung
  createdDate angelegt_am
  closeDate abschluss_datum
  status phase
  stage phase
  amount betrag
""",
)

JOINED = Schema(
    "joined",
    """
users
  id int pk = seq
  username text = login
  email text = email
  encrypted_password text = words
  last_login_at ts = time
  deleted_at ts = rarely
  updated_at ts = time
accounts
  id int pk = seq
  user_id int = ref
  assigned_to int = ref
  name text = company
  access text = Public
  website text = web
  toll_free_phone text = phone
  phone text = phone
  email text = email
  rating int = one6
  created_at ts = time
  updated_at ts = time
  deleted_at ts = rarely
contacts
  id int pk = seq
  user_id int = ref
  lead_id int = ref
  assigned_to int = ref
  reports_to int = ref
  first_name text = first
  last_name text = last
  title text = CEO|Buyer
  department text = Sales|IT
  email text = email
  alt_email text = email
  phone text = phone
  mobile text = phone
  fax text = phone
  do_not_call bool = no
  born_on date = day
  created_at ts = time
  updated_at ts = time
  deleted_at ts = rarely
account_contacts
  id int pk = seq
  account_id int = ref
  contact_id int = ref
  created_at ts = time
  updated_at ts = time
  deleted_at ts = rarely
opportunities
  id int pk = seq
  user_id int = ref
  campaign_id int = ref
  assigned_to int = ref
  name text = words
  access text = Public
  source text = web|fair
  stage text = prospecting|analysis|presentation|proposal|negotiation|won|lost
  probability int = pct
  amount money = money
  discount money = money
  closes_on date = day
  created_at ts = time
  updated_at ts = time
  deleted_at ts = rarely
account_opportunities
  id int pk = seq
  account_id int = ref
  opportunity_id int = ref
  created_at ts = time
  updated_at ts = time
  deleted_at ts = rarely
contact_opportunities
  id int pk = seq
  contact_id int = ref
  opportunity_id int = ref
  updated_at ts = time
leads
  id int pk = seq
  user_id int = ref
  campaign_id int = ref
  assigned_to int = ref
  first_name text = first
  last_name text = last
  title text = CEO|Buyer
  company text = company
  source text = web|fair
  status text = new|contacted|converted
  referred_by text = person
  email text = email
  phone text = phone
  mobile text = phone
  created_at ts = time
  updated_at ts = time
  deleted_at ts = rarely
versions
  id int pk = seq
  item_type text = Lead|Contact
  item_id int = ref
  created_at ts = time
""",
    """
BUSINESS_USER users id updated_at deleted_at
  emailAddress email
STAGE rows - - -
ACCOUNT accounts id updated_at deleted_at
  name name
  domains website
CONTACT contacts id updated_at deleted_at
  accountId via account_contacts
  emailAddress email
  firstName first_name
  lastName last_name
  title title
  phoneNumber phone
DEAL opportunities id updated_at deleted_at
  accountId via account_opportunities
  ownerId assigned_to
  name name
  createdDate created_at
  closeDate closes_on
  status stage
  stage stage
  amount amount
LEAD leads id updated_at deleted_at
  emailAddress email
  firstName first_name
  lastName last_name
  title title
  phoneNumber phone
""",
)

SCATTERED = Schema(
    "scattered",
    """
user
  id text pk = words
  user_name text = login
  first_name text = first
  last_name text = last
  is_active bool = true
  deleted bool = no
  modified_at ts = time
email_address
  id text pk = words
  name text = email
  lower text = email
  invalid bool = no
  deleted bool = no
account
  id text pk = words
  name text = company
  deleted bool = no
  website text = web
  type text = Customer|Partner
  industry text = Retail|Steel
  billing_address_city text = Bonn|Lyon
  created_at ts = time
  modified_at ts = time
  assigned_user_id text = words
  created_by_id text = words
  modified_by_id text = words
contact
  id text pk = words
  deleted bool = no
  salutation_name text = Mr|Ms
  first_name text = first
  last_name text = last
  email_address text = email
  phone_number text = phone
  do_not_call bool = no
  account_id text = words
  created_at ts = time
  modified_at ts = time
  assigned_user_id text = words
opportunity
  id text pk = words
  name text = words
  deleted bool = no
  amount money = money
  amount_currency text = EUR|USD
  stage text = Prospecting|Proposal|Closed Won|Closed Lost
  last_stage text = Prospecting|Proposal
  probability int = pct
  close_date date = day
  account_id text = words
  contact_id text = words
  created_at ts = time
  modified_at ts = time
  assigned_user_id text = words
lead
  id text pk = words
  deleted bool = no
  first_name text = first
  last_name text = last
  title text = CEO|Buyer
  status text = New|Converted|Dead
  source text = Web|Call
  email_address text = email
  phone_number text = phone
  account_name text = company
  created_account_id text = words
  created_contact_id text = words
  created_opportunity_id text = words
  converted_at ts = rarely
  modified_at ts = time
""",
    """
ACCOUNT account id modified_at deleted
  name name
  domains website
STAGE rows - - -
CONTACT contact id modified_at deleted
  accountId account_id
  emailAddress email_address
  firstName first_name
  lastName last_name
  phoneNumber phone_number
DEAL opportunity id modified_at deleted
  accountId account_id
  ownerId assigned_user_id
  name name
  createdDate created_at
  closeDate close_date
  status stage
  stage stage
  amount amount
LEAD lead id modified_at deleted
  emailAddress email_address
  firstName first_name
  lastName last_name
  title title
  phoneNumber phone_number
  convertedToAccountId created_account_id
  convertedToContactId created_contact_id
  convertedToDealId created_opportunity_id
""",
)

LEGACY = Schema(
    "legacy",
    """
T_USR
  USR_ID int pk = seq
  USR_LOGIN text = login
  USR_MAIL text = email
  USR_ACTIVE text = Y
T_COMPANY
  COMP_ID int pk = seq
  COMP_NAME text = company
  COMP_URL text = web
  COMP_SALES_REP text = login
  COMP_TS_UPD ts = time
  COMP_DELETED int = zero
T_PERSON
  PERS_ID int pk = seq
  PERS_COMP_ID int = ref
  PERS_FIRSTNAME text = first
  PERS_SURNAME text = last
  PERS_EMAIL1 text = email
  PERS_EMAIL2 text = email
  PERS_TEL_OFFICE text = phone
  PERS_POSITION text = CEO|Buyer
  PERS_TS_UPD ts = time
  PERS_DELETED int = zero
T_SALES_OPP
  SOPP_ID int pk = seq
  SOPP_PERS_ID int = ref
  SOPP_TITLE text = words
  SOPP_VALUE_EUR money = money
  SOPP_PHASE int = one6
  SOPP_STATE text = O|W|L
  SOPP_EXP_CLOSE date = day
  SOPP_OWNER text = login
  SOPP_TS_INS ts = time
  SOPP_TS_UPD ts = time
  SOPP_DELETED int = zero
T_SALES_PHASE 6
  PHASE_ID int pk = seq
  PHASE_TXT text = Lead in|Contacted|Demo|Offer|Contract|Done
  PHASE_SORT int = seq
T_ACTIVITY
  ACT_ID int pk = seq
  ACT_PERS_ID int = ref
  ACT_SUBJECT text = words
  ACT_TS_UPD ts = time
""",
    """
BUSINESS_USER T_USR USR_ID - -
  emailAddress USR_MAIL
STAGE T_SALES_PHASE PHASE_ID - -
  name PHASE_TXT
  sortOrder PHASE_SORT
ACCOUNT T_COMPANY COMP_ID COMP_TS_UPD COMP_DELETED
  name COMP_NAME
  domains COMP_URL
CONTACT T_PERSON PERS_ID PERS_TS_UPD PERS_DELETED
  accountId PERS_COMP_ID
  emailAddress PERS_EMAIL1
  firstName PERS_FIRSTNAME
  lastName PERS_SURNAME
  title PERS_POSITION
  phoneNumber PERS_TEL_OFFICE
DEAL T_SALES_OPP SOPP_ID SOPP_TS_UPD SOPP_DELETED
  accountId via T_PERSON
  ownerId via T_USR
  name SOPP_TITLE
  createdDate SOPP_TS_INS
  closeDate SOPP_EXP_CLOSE
  status SOPP_STATE
  stage SOPP_PHASE
  amount SOPP_VALUE_EUR
""",
)

OTHERS = [CAMEL, GERMAN, JOINED, SCATTERED, LEGACY]


def create(connection: Connection, schema: Schema) -> None:
    """Make the tables, with rows."""
    dice = random.Random(7)
    dialect = connection.dialect.name
    quote = connection.dialect.identifier_preparer.quote
    for name, rows, columns in _tables(schema.tables):
        lines = []
        for column, kind, extra, _ in columns:
            declared = TYPES[dialect].get(kind, "VARCHAR(80)" if kind == "text" else kind.upper())
            line = f"{quote(column)} {declared}"
            if extra == "pk":
                line += " PRIMARY KEY NOT NULL"
            lines.append(line)
        for column, _, extra, _ in columns:
            if extra.startswith("->"):
                target = extra[2:]
                key = next(c for n, _, cs in _tables(schema.tables) if n == target for c, _, e, _ in cs if e == "pk")
                lines.append(f"FOREIGN KEY ({quote(column)}) REFERENCES {quote(target)} ({quote(key)})")
        connection.execute(text(f"CREATE TABLE {quote(name)} ({', '.join(lines)})"))
        names = [column for column, *_ in columns]
        places = ", ".join(f":c{at}" for at in range(len(names)))
        insert = f"INSERT INTO {quote(name)} ({', '.join(map(quote, names))}) VALUES ({places})"
        values = [
            {f"c{at}": _value(how, kind, row, dice) for at, (_, kind, _, how) in enumerate(columns)}
            for row in range(rows)
        ]
        connection.execute(text(insert), values)


def _tables(written: str) -> list[tuple[str, int, list[tuple[str, str, str, str]]]]:
    found: list[tuple[str, int, list[tuple[str, str, str, str]]]] = []
    for line in written.strip().splitlines():
        said, _, how = line.partition(" = ")
        parts = said.split()
        if not line.startswith(" "):
            found.append((parts[0], int(parts[1]) if len(parts) > 1 else ROWS, []))
        else:
            found[-1][2].append((parts[0], parts[1], parts[2] if len(parts) > 2 else "", how))
    return found


def _value(how: str, kind: str, row: int, dice: random.Random) -> object:
    at = datetime(2026, 1, 5, 9) + timedelta(hours=row * 7, seconds=dice.randrange(3600))  # noqa: DTZ001 - as the CRM has it
    name = f"{dice.choice('BDFGKLMNPRST')}{dice.choice('aeiou')}{dice.choice('lmnrst')}{dice.choice('aeo')}{row}"
    made: dict[str, object] = {
        "seq": row + 1,
        "ref": dice.randrange(1, ROWS + 1),
        "ref6": dice.randrange(1, 7),
        "one6": dice.randrange(1, 7),
        "zero": 0,
        "pct": dice.randrange(101),
        "email": f"{name.lower()}@{name.lower()}.example",
        "login": name.lower(),
        "person": f"{name} {name[::-1]}",
        "first": name,
        "last": f"Mc{name}",
        "company": f"{name} Ltd",
        "web": f"https://www.{name.lower()}.example",
        "phone": f"+49 228 {dice.randrange(10**6)}",
        "words": f"{name} rollout",
        "time": at,
        "day": at.date(),
        "rarely": at if row % 9 == 4 else None,
        "money": dice.randrange(10**6) / 4,
        "true": True,
        "no": False,
    }
    if how in made:
        return made[how]
    choices = how.split("|")
    return choices[row % len(choices)] if kind == "text" else choices[0]
