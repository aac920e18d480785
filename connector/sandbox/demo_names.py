"""The words that the demo CRM's records are made of; all invented, all addresses under `.example`."""

from typing import Final

FIRST_NAMES: Final = (
    "Aisha", "Anders", "Beatriz", "Björn", "Carmen", "Chen", "Daniela", "David", "Elif", "Emma", "Farid", "Fiona",
    "Giulia", "Grace", "Hana", "Henrik", "Ines", "Ivan", "Jana", "Joao", "Kofi", "Lea", "Luca", "Maya", "Mateo",
    "Nadia", "Noah", "Olga", "Omar", "Priya", "Rafael", "Renée", "Samir", "Sofia", "Tomasz", "Uma", "Viktor",
    "Wanjiru", "Yuki", "Zoë",
)  # fmt: skip

LAST_NAMES: Final = (
    "Andersen", "Bauer", "Costa", "Dubois", "Eriksson", "Fernández", "García", "Haddad", "Ivanova", "Jensen",
    "Kaya", "Kowalski", "Larsen", "Mbeki", "Moreau", "Nakamura", "Nowak", "O'Brien", "Okafor", "Patel", "Quinn",
    "Rossi", "Santos", "Schäfer", "Silva", "Tanaka", "Ueda", "Varga", "Weber", "Yılmaz", "Zhang",
)  # fmt: skip

COMPANY_FIRST: Final = (
    "Alder", "Amber", "Beacon", "Birch", "Bluestone", "Cedar", "Clearwater", "Cobalt", "Copper", "Crescent",
    "Dunmore", "Eastgate", "Ember", "Fairview", "Falcon", "Granite", "Harbour", "Hawthorn", "Ironbridge", "Juniper",
    "Keystone", "Lakeside", "Larch", "Meridian", "Millbrook", "Northfield", "Oakridge", "Orchard", "Pinecrest",
    "Quarry", "Redwood", "Riverton", "Sable", "Silverline", "Summit", "Thornbury", "Upland", "Westbrook", "Willow",
)  # fmt: skip

COMPANY_SECOND: Final = (
    "Analytics", "Biotech", "Capital", "Components", "Dynamics", "Energy", "Foods", "Freight", "Health", "Insurance",
    "Labs", "Logistics", "Materials", "Media", "Networks", "Optics", "Partners", "Retail", "Robotics", "Software",
    "Systems", "Textiles", "Travel", "Utilities",
)  # fmt: skip

INDUSTRIES: Final = (
    "Energy", "Financial services", "Food and drink", "Healthcare", "Logistics", "Manufacturing", "Media",
    "Retail", "Software", "Travel",
)  # fmt: skip

TITLES: Final = (
    "Account Manager", "CFO", "CTO", "Head of IT", "Head of Operations", "Head of Sales", "Procurement Lead",
    "Product Manager", "Security Engineer", "VP Engineering", "VP Sales",
)  # fmt: skip

PROJECTS: Final = (
    "annual renewal", "data platform", "expansion", "new plant", "pilot", "pilot follow-up", "rollout",
    "seat upgrade", "security review", "support contract",
)  # fmt: skip

LEAD_SOURCES: Final = ("Webinar", "Website", "Referral", "Partner", "Cold call")

STAGES: Final = (
    ("discovery", "Discovery"),
    ("qualification", "Qualification"),
    ("demo", "Demo"),
    ("proposal", "Proposal"),
    ("negotiation", "Negotiation"),
    ("closed-won", "Closed won"),
    ("closed-lost", "Closed lost"),
)
"""(id, name) in order; the last two are of deals that are over."""
