"""People who work here and programs that may call: e-mail as log-in, one role, API keys kept as hashes."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from counterfoil.core.actor import ROLES, Actor
from counterfoil.core.text import storable


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None, *, name: str, role: str) -> User:
        """A person with a log-in. Raises ValueError for an unknown role."""
        if role not in ROLES and role != "customer":
            raise ValueError(f"{role!r} is no role; use one of {', '.join(ROLES)}")
        user = self.model(email=self.normalize_email(email).lower(), name=name, role=role)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        if not storable(username or ""):
            raise self.model.DoesNotExist
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=12)
    is_active = models.BooleanField(default=True)

    objects: ClassVar[Any] = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name", "role"]

    @property
    def actor(self) -> Actor:
        """Who acts. Who was switched off may do nothing: what they had set going is refused when it is due."""
        return Actor("person", self.name, self.role if self.is_active else "switched off", f"user:{self.pk}")


class ApiKey(models.Model):
    """`sha256` of a key with 256 random bits: nothing to slow down, nothing to read."""

    name = models.CharField(max_length=100)
    role = models.CharField(max_length=12)
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)


class Invitation(models.Model):
    """A link with which a person sets their own password, once; `sha256` of its token, which is only in the mail."""

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    sha256 = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()  # real time, like the others
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
