"""Takes files out of a request in pieces, so that a full disk is an answer and not a crash."""

from contextlib import suppress
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler


class CarefulHandler(TemporaryFileUploadHandler):
    """Django's own, except that what goes wrong with the disk is told by `went_wrong`."""

    def new_file(self, *args: Any, **more: Any) -> None:
        try:
            super().new_file(*args, **more)
        except OSError as error:
            self._drop(error)
            raise SkipFile from error

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            self.file.write(raw_data)
        except OSError as error:
            self._drop(error)
            raise SkipFile from error  # the rest of the request is read, but kept nowhere

    def file_complete(self, file_size: int) -> UploadedFile | None:
        try:
            return super().file_complete(file_size)
        except OSError as error:  # the last piece was still in a buffer
            self._drop(error)
            return None

    def _drop(self, error: OSError) -> None:
        self.request.upload_error = error
        with suppress(OSError):
            self.upload_interrupted()


def went_wrong(request: Any) -> str:
    """Why a file of this request could not be kept, in a sentence; empty if nothing did."""
    error = getattr(request, "upload_error", None)
    return f"The file could not be kept here: {error.strerror}." if error else ""
