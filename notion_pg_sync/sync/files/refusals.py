"""Pure: why a place cannot keep files: what a store or a disk says, in words and with what to do."""

from __future__ import annotations

import errno
import re

from notion_pg_sync.core.printable import printable

_CODE = re.compile(r"<Code>(\w+)</Code>|\(code: (\w+)\)")
_NUMBER = re.compile(r"\(os error (\d+)\)|\[Errno (\d+)\]")
_ENDPOINT = re.compile(r"https?://[^\s/\"]+")
# Where the machines of AWS have their credentials from; asked where there are none elsewhere.
_OF_THE_MACHINE = "169.254."
_MOST_TOLD = 200

_OF_DISKS = {
    errno.ENOSPC: "its disk is full: free some space there",
    errno.EDQUOT: "its disk is full for this user: free some space there",
    errno.EACCES: "this user may not write there: give the folder to the user that runs the sync",
    errno.EPERM: "this user may not write there: give the folder to the user that runs the sync",
    errno.EROFS: "it cannot be written: mount it for writing",
    errno.ENOENT: "it is not there: create the folder, or mount what it lies on",
    errno.ENOTDIR: "it is not a folder: name one",
    errno.EEXIST: "it is not a folder: name one",
    errno.EIO: "its disk does not work: replace it",
}

_WRONG = "the credentials are wrong: correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_EXPIRED = "the credentials have expired: renew them"
_REGION = "it is in another region: set AWS_REGION to it"
_RIGHTS = "the credentials do not suffice: allow s3:PutObject, s3:GetObject, s3:DeleteObject, s3:AbortMultipartUpload"
_OF_STORES = {
    "InvalidAccessKeyId": _WRONG,
    "SignatureDoesNotMatch": _WRONG,
    "InvalidToken": _WRONG,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "RequestTimeTooSkewed": "this machine's clock is wrong: correct it",
    "AccessDenied": _RIGHTS,
    "AllAccessDisabled": _RIGHTS,
    "NoSuchBucket": "there is no such bucket: create it, or correct the name",
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "QuotaExceeded": "it is full: make room there",
    "SlowDown": "it is asked too often: the next run tries again",
}


def why_unusable(where: str, said: str) -> str:
    """A sentence on what the store of `where`, or its disk, `said`. No secret is in what they say, nor in `where`."""
    return f"no files are kept at {printable(where)}: {_reason(said)}."


def _reason(said: str) -> str:
    if number := _NUMBER.search(said):
        known = _OF_DISKS.get(int(number[1] or number[2]))
        if known is not None:
            return known
    if code := _CODE.search(said):
        name = code[1] or code[2]
        if name in _OF_STORES:
            return f"{_OF_STORES[name]} ({name})"
    if _OF_THE_MACHINE in said:
        return "there are no credentials for it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    endpoint = _ENDPOINT.search(said)
    if endpoint and ("error sending request" in said or "kind: Connect" in said or "kind: Timeout" in said):
        return f"{endpoint[0]} cannot be reached: check the network, or correct AWS_ENDPOINT_URL"
    if "403 Forbidden" in said or "401 Unauthorized" in said:
        return _RIGHTS
    first = printable(said.partition("\n")[0].strip().rstrip("."))
    return f"{first[:_MOST_TOLD]}: correct the place, or name another"
