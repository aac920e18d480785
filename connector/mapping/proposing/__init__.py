"""Proposes a mapping from what a look at the source found, each part of it with its reason. Pure."""

from connector.mapping.proposing.proposal import Proposal, candidates, lists, propose
from connector.mapping.proposing.ready_made import ReadyMade, recognise
from connector.mapping.proposing.written import Head, flow, needs_zone, written

__all__ = [
    "Head",
    "Proposal",
    "ReadyMade",
    "candidates",
    "flow",
    "lists",
    "needs_zone",
    "propose",
    "recognise",
    "written",
]
