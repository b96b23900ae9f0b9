"""The people, groups and roles of the tenant `demo`: the same ones every time, from a seeded generator.

Its one rule: nothing in here talks to anything; `loading.py` sends it through the public API.
"""

import random
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

JsonObject = Mapping[str, object]

SEED = 20261
PEOPLE = 2_000
DEPARTMENTS = (
    "Engineering", "Product", "Design", "Sales", "Marketing", "Finance", "People", "Legal", "Support", "Operations",
    "Research", "Training",
)  # fmt: skip
LOCATIONS = ("Berlin", "Lyon", "Dublin", "Boston", "Nairobi", "Osaka", "Lisbon", "Remote")
COURSES = (
    "Onboarding", "Leadership Basics", "Data Protection", "First Aid", "Project Management", "SQL for Everyone",
    "Public Speaking", "Negotiation", "Cloud Foundations", "Accessibility", "Fire Safety", "German A2",
)  # fmt: skip
COMMITTEES = (
    "Works Council", "Safety Officers", "Mentors", "Newcomers 2026", "Book Club", "Release Managers",
    "Incident Response", "Green Team",
)  # fmt: skip
FIRST_NAMES = (
    "Ada", "Aisha", "Akira", "Alice", "Amélie", "Anders", "Anna", "Antoine", "Ben", "Bjørn", "Carlos", "Chiara",
    "Chloé", "Clara", "Daniel", "David", "Diego", "Elena", "Elif", "Emma", "Erik", "Fatima", "Felix", "Fiona",
    "François", "Greta", "Hana", "Hugo", "Ines", "Ivan", "Jana", "João", "Jonas", "Julia", "Jürgen", "Kaito",
    "Katarzyna", "Kofi", "Lars", "Léa", "Leo", "Lina", "Luca", "Lucía", "Maja", "Marc", "Maria", "Mateo", "Max",
    "Mei", "Mia", "Mohammed", "Nadia", "Nia", "Noah", "Nora", "Olga", "Omar", "Oskar", "Paul", "Priya", "Rahul",
    "Rosa", "Samuel", "Sara", "Sofia", "Søren", "Tariq", "Theo", "Tomás", "Ursula", "Victor", "Wei", "Yara", "Yuki",
    "Zoë",
)  # fmt: skip
LAST_NAMES = (
    "Abe", "Adeyemi", "Almeida", "Andersen", "Bauer", "Becker", "Bernard", "Bianchi", "Brown", "Chen", "Costa", "Cruz",
    "Dubois", "Dvořák", "Eriksson", "Evans", "Fernández", "Fischer", "Fontaine", "García", "Girard", "Gupta", "Haddad",
    "Hansen", "Hoffmann", "Ito", "Ivanova", "Jansen", "Johnson", "Kamau", "Kaya", "Keller", "Khan", "Kim", "Klein",
    "Kowalski", "Kumar", "Lambert", "Laurent", "Lee", "Lefèvre", "Lindqvist", "López", "Martin", "Mbeki", "Meyer",
    "Moreau", "Müller", "Murphy", "Mwangi", "Nakamura", "Nguyen", "Novák", "O'Brien", "Okafor", "Olsen", "Patel",
    "Petrov", "Richter", "Rossi", "Roux", "Russo", "Santos", "Sato", "Schäfer", "Schmidt", "Schneider", "Silva",
    "Singh", "Smith", "Sørensen", "Suzuki", "Tanaka", "Taylor", "Tremblay", "Vogel", "Wagner", "Walsh", "Weber",
    "Wójcik", "Yamada", "Y\N{LATIN SMALL LETTER DOTLESS I}ld\N{LATIN SMALL LETTER DOTLESS I}z", "Zhang", "Zimmermann",
)  # fmt: skip
# key, permission scope, title in English, German, French
ROLES = (
    ("member", "USER_GROUPS", "Member", "Mitglied", "Membre"),
    ("group-admin", "USER_GROUPS", "Group administrator", "Gruppenverwaltung", "Administration du groupe"),
    ("instructor", "USER_GROUPS", "Instructor", "Kursleitung", "Formation"),
    ("mentor", "USER_GROUPS", "Mentor", "Mentoring", "Mentorat"),
    ("observer", "USER_GROUPS", "Observer", "Beobachtung", "Observation"),
    ("reviewer", "USER_GROUPS", "Reviewer", "Prüfung", "Relecture"),
    ("catalog-editor", "CATALOG", "Catalogue editor", "Katalogpflege", "Rédaction du catalogue"),
    ("account-admin", "ACCOUNT", "Account administrator", "Kontoverwaltung", "Administration du compte"),
)
INACTIVE, TEACHING, IN_A_TEAM = 0.02, 0.03, 0.2  # shares of the people
LETTERS = str.maketrans({"ø": "o", "Ø": "O", "\N{LATIN SMALL LETTER DOTLESS I}": "i", "ß": "ss", "ł": "l", "'": ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Items as the `:batch` calls take them."""

    roles: Sequence[JsonObject]
    groups: Sequence[JsonObject]
    people: Sequence[JsonObject]
    assignments: Sequence[JsonObject]


def sample() -> Sample:
    """The sample data; two calls are equal."""
    chance = random.Random(SEED)  # noqa: S311  # plausible, not secret
    groups = _groups()
    people = _people(chance)
    return Sample(roles=_roles(), groups=groups, people=people, assignments=_assignments(chance, people))


def _roles() -> list[JsonObject]:
    return [
        {
            "key": key,
            "permission_scope": scope,
            "titles": {"en": english, "de": german, "fr": french},
            "descriptions": {
                "en": f"Can act as: {english}",
                "de": f"Aufgabe: {german}",
                "fr": f"Fonction : {french}",
            },
        }
        for key, scope, english, german, french in ROLES
    ]


def _groups() -> list[JsonObject]:
    named = (
        [(f"dept-{slug(name)}", name) for name in DEPARTMENTS]
        + [(f"site-{slug(name)}", name) for name in LOCATIONS]
        + [(f"course-{slug(name)}", name) for name in COURSES]
        + [(f"team-{slug(name)}", name) for name in COMMITTEES]
    )
    return [{"key": key, "name": name} for key, name in named]


def _people(chance: random.Random) -> list[JsonObject]:
    people: list[JsonObject] = []
    seen: dict[str, int] = {}
    for number in range(1, PEOPLE + 1):
        first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
        department = chance.choice(DEPARTMENTS)
        handle = f"{slug(first)}.{slug(last)}"
        seen[handle] = seen.get(handle, 0) + 1
        username = handle if seen[handle] == 1 else f"{handle}{seen[handle]}"
        people.append(
            {
                "key": f"p{number:04}",
                "username": username,
                "email": f"{username}@demo.example",
                "first_name": first,
                "last_name": last,
                "department": department,
                "active": chance.random() > INACTIVE,
                "attributes": {"site": chance.choice(LOCATIONS), "employee_number": f"{10_000 + number}"},
                "primary_group": f"dept-{slug(department)}",
            }
        )
    return people


def _assignments(chance: random.Random, people: Sequence[JsonObject]) -> list[JsonObject]:
    """A course or two for most, a team for some; those who left are given nothing."""
    chosen: list[JsonObject] = []
    for person in people:
        if not person["active"]:
            continue
        for course in chance.sample(COURSES, chance.choice((0, 1, 1, 2))):
            role = "instructor" if chance.random() < TEACHING else "member"
            chosen.append(_assignment(person, f"course-{slug(course)}", role, "MANUAL"))
        if chance.random() < IN_A_TEAM:
            role = chance.choice(("mentor", "reviewer", "observer", "group-admin"))
            chosen.append(_assignment(person, f"team-{slug(chance.choice(COMMITTEES))}", role, "SCIM"))
    return chosen


def _assignment(person: JsonObject, group: str, role: str, source: str) -> JsonObject:
    return {"op": "assign", "group_id": group, "user_id": person["key"], "role_id": role, "source": source}


def slug(name: str) -> str:
    """The name in lower-case ASCII with hyphens: `Jürgen` is `jurgen`."""
    plain = unicodedata.normalize("NFKD", name.translate(LETTERS)).encode("ascii", "ignore").decode()
    return plain.lower().replace(" ", "-")
