"""The browser's half: an HTTP app to mount into yours, and the ES module that browsers load from it.

An extra of this package: ``pip install 'arcano-db[web]'``. To mount it into an app of Starlette or FastAPI::

    from arcano_db.web import ArcanoWeb

    app.mount("/arcano", ArcanoWeb(os.environ["DATABASE_URL"], user=signed_in_user))

``signed_in_user`` is a function of yours that tells who sends a request; nothing that a browser says is
believed instead. ``browser/`` has the module, ``app`` the endpoints, ``bodies`` what they take and answer.
"""

from arcano_db.web.app import ArcanoWeb
from arcano_db.web.bodies import CreateJob, StartUpload, UploadPlace

__all__ = ["ArcanoWeb", "CreateJob", "StartUpload", "UploadPlace"]
