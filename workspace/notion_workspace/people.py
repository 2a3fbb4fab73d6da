"""Steers who there is: users, tokens, and what each token may see."""

from typing import Literal

from notion_workspace.ids import digest
from notion_workspace.model import Token, User
from notion_workspace.steered import Steered, steered


class People(Steered):
    """Users and tokens. Methods take a user's name or id, a token's label or secret, a database's name or id."""

    @steered
    def add_user(
        self,
        name: str | None,
        kind: Literal["person", "bot", "group", "partial", "agent"] = "person",
        email: str | None = None,
        *,
        guest: bool = False,
    ) -> str:
        """Adds somebody, or a bot, a group, one of whom only the id is told, one of a new kind. Returns the id."""
        user = User(self.state.ids.uuid("user"), kind, name, email, guest)
        self.state.users[user.id] = user
        return user.id

    @steered
    def rename_user(self, user: str, name: str) -> None:
        """Renames a user; no page counts as edited."""
        self.state.users[self._build.user_id(user)].name = name

    @steered
    def add_token(
        self,
        label: str,
        kind: Literal["internal", "oauth", "personal"] = "internal",
        owner: str | None = None,
        *,
        read_content: bool = True,
        read_users: bool = True,
        read_emails: bool = True,
    ) -> Token:
        """Adds a connection. `owner` (a user) authorised an OAuth token or created a personal one."""
        owner_id = self._build.user_id(owner) if owner else self.owner_id
        secret = f"ntn_{digest(self.state.seed, 'token', label, size=23).hex()}"
        name = f"{label} integration"
        user_id = owner_id if kind == "personal" else self.add_user(name, "bot")
        token = Token(label, secret, kind, user_id, owner_id, user_id, name, read_content, read_users, read_emails)
        self.state.tokens[secret] = token
        return token

    @steered
    def set_capabilities(self, token: str, **capabilities: bool) -> None:
        """Sets read_content, read_users or read_emails of a token."""
        found = self._build.token(token)
        for name, value in capabilities.items():
            if name not in ("read_content", "read_users", "read_emails"):
                raise TypeError(f"no capability {name!r}")
            setattr(found, name, value)

    @steered
    def revoke_token(self, token: str) -> None:
        """Revokes a token: 401 on everything."""
        self._build.token(token).revoked = True

    @steered
    def reinstate_token(self, token: str) -> None:
        """Makes a revoked token good again."""
        self._build.token(token).revoked = False

    @steered
    def share(self, token: str, database: str) -> None:
        """Lets a token see a database with all its data sources."""
        self._build.token(token).shared.add(self._build.database(database).id)

    @steered
    def unshare(self, token: str, database: str) -> None:
        """Takes a database from a token's sight."""
        self._build.token(token).shared.discard(self._build.database(database).id)
