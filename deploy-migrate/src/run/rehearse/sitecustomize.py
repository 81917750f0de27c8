"""Writes down what SQLAlchemy sends to the database on behalf of a revision script, one JSON object a line, and lets it connect to the copy only.

Python imports a module of this name at its start. It is on the search path of a rehearsal only, in front of another one that the machine may have.
"""

import importlib.machinery
import importlib.util
import json
import math
import os
import re
import sys

LOG = os.environ["MPAC_DEPLOY_CAPTURE"]
# The name of the copy, which no other database has; empty where nothing may be connected to.
COPY = os.environ["MPAC_DEPLOY_COPY"]
# So many of the rows of one call are written down: they are all alike.
ROWS = 100
DIALECTS = os.sep + "dialects" + os.sep


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return str(value)
    wrapped = getattr(value, "obj", getattr(value, "adapted", None))
    if type(value).__name__ in ("Json", "Jsonb"):
        return literal(json.dumps(wrapped, default=str))
    if type(value).__name__ == "Binary":
        value = wrapped
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "'\\x" + bytes(value).hex() + "'"
    if isinstance(value, dict):
        value = json.dumps(value, default=str)
    if isinstance(value, (list, tuple)):
        return "ARRAY[" + ", ".join(literal(part) for part in value) + "]"
    return "'" + str(value).replace("'", "''") + "'"


def with_values(statement, parameters, style):
    try:
        if isinstance(parameters, dict) and parameters:
            return statement % {name: literal(value) for name, value in parameters.items()}
        if isinstance(parameters, (list, tuple)) and parameters and re.search(r"\$\d", statement):
            return re.sub(r"\$(\d+)", lambda number: literal(parameters[int(number[1]) - 1]), statement)
        if isinstance(parameters, (list, tuple)) and parameters:
            return statement % tuple(literal(value) for value in parameters)
        if style in ("format", "pyformat"):
            # SQLAlchemy has doubled it for the driver.
            return statement.replace("%%", "%")
    except (TypeError, ValueError, KeyError, IndexError):
        pass  # Another style of parameters: the statement is told from its text alone.
    return statement


def script(frame):
    """The part of a revision script that called, if one did. What a dialect asks for itself, such as whether a type is there, no script sends."""
    while frame is not None:
        if "down_revision" in frame.f_globals and "revision" in frame.f_globals:
            return frame
        code = frame.f_code
        if DIALECTS in code.co_filename and code.co_name.startswith(("has_", "get_", "_get_")):
            return None
        frame = frame.f_back
    return None


def search_path(dbapi_connection):
    cursor = dbapi_connection.cursor()
    try:
        cursor.execute("SHOW search_path")
        return cursor.fetchone()[0]
    finally:
        cursor.close()


def heard(connection, cursor, statement, parameters, context, executemany):
    frame = script(sys._getframe(1))
    if frame is None:
        return
    entry = {"path": os.path.abspath(frame.f_code.co_filename), "line": frame.f_lineno}
    try:
        pooled = connection.connection
        # SQLAlchemy 1.3 calls it otherwise.
        own = getattr(pooled, "dbapi_connection", None) or pooled.connection
        entry["alone"] = getattr(own, "autocommit", False) is True
        entry["names"] = search_path(own)
        # Many rows are a list; SQLAlchemy puts some of them into one statement, and says many all the same.
        several = isinstance(parameters, (list, tuple)) and parameters and isinstance(parameters[0], (dict, list, tuple))
        rows = parameters[:ROWS] if executemany and several else [parameters]
        for row in rows:
            write(dict(entry, sql=with_values(statement, row, connection.dialect.paramstyle)))
    except Exception as error:  # The script goes on, whatever is wrong here.
        write(dict(entry, sql=statement, failed=repr(error)))


def connected(dbapi_connection, record):
    """A project may know more databases than the one that was named: no statement goes to another one than the copy."""
    name = None
    if COPY:
        cursor = dbapi_connection.cursor()
        try:
            cursor.execute("SELECT current_database()")
            name = cursor.fetchone()[0]
        finally:
            cursor.close()
        dbapi_connection.rollback()
    if name != COPY or not COPY:
        dbapi_connection.close()
        raise RuntimeError(
            "it connects to %s, and a rehearsal changes nothing but its copy"
            % ("another database, %s" % name if COPY else "a database where it should only show its SQL")
        )


def write(entry):
    with open(LOG, "a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")


def other_one():
    """The machine's own module of this name, which this one stands in front of."""
    here = os.path.dirname(os.path.abspath(__file__))
    paths = [path for path in sys.path if os.path.abspath(path) != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", paths)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


try:
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
except ImportError:
    pass  # A Python without SQLAlchemy runs no revision script.
else:
    event.listen(Engine, "before_cursor_execute", heard)
    event.listen(Engine, "connect", connected)
    with open(LOG, "a", encoding="utf-8"):
        pass  # The file is there: somebody listens.
other_one()
