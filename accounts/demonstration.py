"""Who and what the demonstration shows: fictitious organisations and people, for the demonstration mode only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DemonstrationOrganisation:
    slug: str
    name: str
    industry: str
    sector: str
    plan: str
    is_suspended: bool = False

    @property
    def auth0_id(self) -> str:
        """Its name at the provider, where one signs in to an organisation."""
        return f"org_{self.slug.partition('-')[0]}"


@dataclass(frozen=True)
class DemonstrationPerson:
    """One person on the local provider's page. `roles` maps organisation slugs to roles."""

    subject: str
    given_name: str
    family_name: str
    email: str
    says: str
    roles: tuple[tuple[str, str], ...] = ()
    is_known: bool = True
    is_active: bool = True
    is_staff: bool = False
    is_superuser: bool = False
    is_email_verified: bool = True

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"


ORGANISATIONS = (
    DemonstrationOrganisation("zebra-associates", "Zebra Associates", "b2b", "", "enterprise"),
    DemonstrationOrganisation("lumen-cinemas", "Lumen Cinemas", "cinema", "59140", "enterprise"),
    DemonstrationOrganisation("harbour-hotels", "Harbour Hotels", "hotel", "55100", "professional"),
    DemonstrationOrganisation("northgate-gyms", "Northgate Gyms", "gym", "93130", "basic"),
    DemonstrationOrganisation("oakfield-hardware", "Oakfield Hardware", "retail", "47520", "basic", is_suspended=True),
)

PEOPLE = (
    DemonstrationPerson(
        "demonstration|superuser",
        "Sana",
        "Whitlock",
        "sana@zebra-associates.example",
        "Platform superuser at Zebra Associates: runs the admin site.",
        roles=(("zebra-associates", "admin"),),
        is_staff=True,
        is_superuser=True,
    ),
    DemonstrationPerson(
        "demonstration|staff",
        "Tom",
        "Ashdown",
        "tom@zebra-associates.example",
        "Zebra staff: may open the admin site, sees there what his permissions allow.",
        roles=(("zebra-associates", "analyst"),),
        is_staff=True,
    ),
    DemonstrationPerson(
        "demonstration|cinema-admin",
        "Amara",
        "Lindqvist",
        "amara@lumen-cinemas.example",
        "Organisation admin at Lumen Cinemas.",
        roles=(("lumen-cinemas", "admin"),),
    ),
    DemonstrationPerson(
        "demonstration|cinema-analyst",
        "Ben",
        "Castellan",
        "ben@lumen-cinemas.example",
        "Analyst at Lumen Cinemas: loads prices and reads them.",
        roles=(("lumen-cinemas", "analyst"),),
    ),
    DemonstrationPerson(
        "demonstration|cinema-viewer",
        "Chloe",
        "Marchetti",
        "chloe@lumen-cinemas.example",
        "Viewer at Lumen Cinemas: reads, writes nothing.",
        roles=(("lumen-cinemas", "viewer"),),
    ),
    DemonstrationPerson(
        "demonstration|hotel-admin",
        "Dev",
        "Rosenthal",
        "dev@harbour-hotels.example",
        "Organisation admin at Harbour Hotels.",
        roles=(("harbour-hotels", "admin"),),
    ),
    DemonstrationPerson(
        "demonstration|hotel-analyst",
        "Esme",
        "Okonjo",
        "esme@harbour-hotels.example",
        "Analyst at Harbour Hotels.",
        roles=(("harbour-hotels", "analyst"),),
    ),
    DemonstrationPerson(
        "demonstration|hotel-viewer",
        "Felix",
        "Brandt",
        "felix@harbour-hotels.example",
        "Viewer at Harbour Hotels.",
        roles=(("harbour-hotels", "viewer"),),
    ),
    DemonstrationPerson(
        "demonstration|two-organisations",
        "Greta",
        "Valdez",
        "greta@freelance.example",
        "Analyst at Lumen Cinemas and viewer at Northgate Gyms.",
        roles=(("lumen-cinemas", "analyst"), ("northgate-gyms", "viewer")),
    ),
    DemonstrationPerson(
        "demonstration|suspended-organisation",
        "Hugo",
        "Pemberton",
        "hugo@oakfield-hardware.example",
        "Organisation admin at Oakfield Hardware, which is suspended.",
        roles=(("oakfield-hardware", "admin"),),
    ),
    DemonstrationPerson(
        "demonstration|deactivated",
        "Iris",
        "Novak",
        "iris@lumen-cinemas.example",
        "Was an analyst at Lumen Cinemas; her account is deactivated.",
        roles=(("lumen-cinemas", "analyst"),),
        is_active=False,
    ),
    DemonstrationPerson(
        "demonstration|stranger",
        "Jack",
        "Thornbury",
        "jack@elsewhere.example",
        "A stranger whom nobody invited.",
        is_known=False,
    ),
    DemonstrationPerson(
        "demonstration|unverified",
        "Kim",
        "Farrow",
        "kim@elsewhere.example",
        "A stranger whose e-mail address is not verified.",
        is_known=False,
        is_email_verified=False,
    ),
)
