"""Who you are: people, identities, sign-in and invitations."""
