"""Giving back the space of a queue that has emptied. Only PostgreSQL needs it: SQLite uses free pages again at once."""

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from digest.store.database import Database

LEAST = 1 << 20
"""Bytes below which a queue is left as it is: some thousand rows."""

_SIZES = text("SELECT pg_relation_size('delivery_queue'), pg_indexes_size('delivery_queue')")

log = structlog.get_logger()


def tidy(db: Database) -> None:
    """Cut the queue down to what still waits in it. Called when an issue was closed; harmless at any time.

    Every row leaves the queue by being deleted, so after an issue its file holds nothing but dead rows. VACUUM takes them
    away and cuts off the empty end; the indexes are made anew if they are far larger than what they lead to. Nobody is
    waited for: whoever can't have the locks at once leaves it to the next issue, or to autovacuum.
    """
    if not db.is_postgresql:
        return
    try:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            table, indexes = connection.execute(_SIZES).one()
            if table + indexes < LEAST:
                return
            connection.exec_driver_sql("SET lock_timeout = '200ms'")
            try:
                connection.exec_driver_sql("VACUUM (SKIP_LOCKED) delivery_queue")
                table, indexes = connection.execute(_SIZES).one()
                if indexes > 4 * table + LEAST // 4:
                    connection.exec_driver_sql("REINDEX TABLE delivery_queue")
            finally:
                connection.exec_driver_sql("RESET lock_timeout")
    except SQLAlchemyError as error:
        log.info("the queue keeps its size for now", why=str(error.__cause__ or error).splitlines()[0])
