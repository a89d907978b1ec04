"""Reads queries/*.sql: signatures and statements, as sql.py describes them."""
import re
from dataclasses import dataclass, field

TYPES = ("text", "int8", "int4", "float8", "bool", "timestamptz", "jsonb", "text[]")
MODES = ("one", "opt", "many", "exec", "later")
WITHOUT_RESULT = ("exec", "later")
NAMES_OF_GENERATED_CODE = {"db", "f", "ret", "ret_count", "bound", "answer", "found", "r", "i"}
C_KEYWORDS = set(
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while bool true "
    "false asm typeof".split()
)


class Mistake(Exception):
    """A mistake in a file of queries: what str() gives begins with file:line."""

    def __init__(self, where, text):
        super().__init__(f"{where}: {text}")


@dataclass
class Value:
    """A parameter or a column."""

    name: str
    type: str
    null: bool

    def spelled(self):
        return f"{self.name} {self.type}{'?' if self.null else ''}"


@dataclass
class Row:
    name: str
    columns: list
    where: str


@dataclass
class Query:
    name: str
    where: str
    comment: list
    params: list
    mode: str
    noun: str = ""
    row_name: str = ""
    row: Row = None
    columns: list = None
    sql: list = field(default_factory=list)


def parse_values(text, where, what):
    """The inside of a pair of brackets: 'id text, scope text?'."""
    values = []
    for part in text.split(","):
        if not part.strip():
            if text.strip():
                raise Mistake(where, f"an empty {what} in ({text.strip()})")
            continue
        match = re.fullmatch(r"\s*(\w+)\s+([a-z0-9]+(?:\[\])?)\s*(\?)?\s*", part)
        if not match:
            raise Mistake(where, f"{what} '{part.strip()}' isn't 'name type' or 'name type?'")
        name, type_, null = match.groups()
        if type_ not in TYPES:
            raise Mistake(where, f"{what} '{name}' has unknown type '{type_}'; there are: {', '.join(TYPES)}")
        check_name(name, where, what)
        if name in [value.name for value in values]:
            raise Mistake(where, f"two of the name '{name}'")
        values.append(Value(name, type_, null is not None))
    return values


def check_name(name, where, what):
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise Mistake(where, f"{what} '{name}' isn't a lower case name")
    if name in C_KEYWORDS:
        raise Mistake(where, f"{what} '{name}' is a word of C; call it otherwise in the signature")


def parse_signature(text, where, comment):
    """A whole signature, lines joined: 'name(params) :mode noun -> row_name (columns)'."""
    match = re.fullmatch(r"(\w+)\s*\(([^)]*)\)\s*:(\w+)\s*([\w ]*?)\s*(?:->\s*(\w*)\s*(?:\(([^)]*)\))?)?\s*", text)
    if not match:
        raise Mistake(where, f"not a signature 'name(params) :one noun -> (columns)': {text}")
    name, params, mode, noun, row_name, columns = match.groups()
    check_name(name, where, "query")
    if mode not in MODES:
        raise Mistake(where, f"unknown ':{mode}'; there are: {', '.join(':' + mode for mode in MODES)}")
    if noun and mode != "one":
        raise Mistake(where, f"':{mode}' takes no name ('{noun}')")
    query = Query(name, where, comment, parse_values(params, where, "parameter"), mode, noun)
    for param in query.params:
        if param.name in NAMES_OF_GENERATED_CODE:
            raise Mistake(where, f"parameter '{param.name}' has a name that the generated code uses itself")
    has_result = row_name is not None
    if has_result == (mode in WITHOUT_RESULT):
        raise Mistake(where, f"':{mode}' has no result list" if has_result else f"':{mode}' needs '-> (columns)'")
    if not has_result:
        return query
    if columns is None and not row_name:
        raise Mistake(where, "nothing after '->'")
    query.row_name = row_name
    if row_name:
        check_name(row_name, where, "row")
    if columns is not None:
        query.columns = parse_values(columns, where, "column")
        if not query.columns:
            raise Mistake(where, "no columns between the brackets")
        names = [column.name for column in query.columns]
        for column in query.columns:
            if column.null and f"{column.name}_null" in names:
                raise Mistake(where, f"column '{column.name}_null' clashes with '{column.name}?'")
    return query


TOKEN = re.compile(
    r"""--[^\n]* | /\*.*?\*/ | '(?:[^']|'')*' | "[^"]*" | (?P<tag>\$[A-Za-z_]*\$).*?(?P=tag) | \$(?P<n>\d+) | ; """,
    re.X | re.S,
)


def scan_statement(text, where):
    """Checks that 'text' is one statement with its ';' at the end; returns it without, and the numbers of its $n."""
    numbers = set()
    end = None
    for match in TOKEN.finditer(text):
        if end is not None and match.group() == ";":
            raise Mistake(where, "two statements below one signature")
        if match.group() == ";":
            end = match.start()
        elif match.group("n"):
            numbers.add(int(match.group("n")))
    if end is None:
        raise Mistake(where, "the statement has no ';' at its end")
    rest = re.sub(r"--[^\n]*|/\*.*?\*/", "", text[end + 1 :], flags=re.S)
    if rest.strip():
        raise Mistake(where, f"text after the statement's ';': {rest.strip().splitlines()[0]}")
    if not text[:end].strip():
        raise Mistake(where, "no statement below the signature")
    return text[:end].strip("\n").rstrip(), numbers


def dedent(lines):
    """Without the blanks at line ends and those that all lines begin with."""
    lines = [line.rstrip() for line in lines]
    indent = min((len(line) - len(line.lstrip()) for line in lines if line), default=0)
    return [line[indent:] for line in lines]


def read_file(path):
    """The queries of one file."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    starts = [n for n, line in enumerate(lines) if re.match(r"--\s*\w+\s*\(", line) and is_signature(lines, n)]
    queries = []
    for at, start in enumerate(starts):
        where = f"{path}:{start + 1}"
        first = start  # Of the comment above, which must touch the signature.
        while first > 0 and lines[first - 1].startswith("--"):
            first -= 1
        comment = [line[2:].strip() for line in lines[first:start]]
        body = start + 1
        while body < len(lines) and lines[body].startswith("--"):
            body += 1
        stop = starts[at + 1] if at + 1 < len(starts) else len(lines)
        if stop <= body:
            raise Mistake(where, "no statement below the signature")
        while at + 1 < len(starts) and stop > body and lines[stop - 1].startswith("--"):
            stop -= 1  # The next query's comment.
        query = parse_signature(" ".join(line[2:].strip() for line in lines[start:body]), where, comment)
        sql, numbers = scan_statement("\n".join(lines[body:stop]), where)
        if numbers != set(range(1, len(query.params) + 1)):
            used = ", ".join(f"${n}" for n in sorted(numbers)) or "none"
            raise Mistake(where, f"the signature has {len(query.params)} parameters, the statement uses {used}")
        query.sql = dedent(sql.split("\n"))
        queries.append(query)
    head = lines[: starts[0]] if starts else lines
    for n, line in enumerate(head):
        if line.strip() and not line.startswith("--"):
            raise Mistake(f"{path}:{n + 1}", "a statement without a signature above it")
    return queries


def is_signature(lines, n):
    """A comment's line 'word(...' begins a signature when ':mode' follows the bracket."""
    text = ""
    while n < len(lines) and lines[n].startswith("--"):
        text += " " + lines[n][2:].strip()
        n += 1
    return re.match(r"\s*\w+\s*\([^)]*\)\s*:\w", text) is not None


def read_all(paths):
    """All queries, with the rows that they share put in."""
    queries = [query for path in paths for query in read_file(path)]
    seen, rows = {}, {}
    for query in queries:
        if query.name in seen:
            raise Mistake(query.where, f"'{query.name}' stands at {seen[query.name]} too")
        seen[query.name] = query.where
        if query.columns is None:
            continue
        name = query.row_name or f"{query.name}_row"
        if name in rows:
            raise Mistake(query.where, f"row '{name}' is defined at {rows[name].where} too")
        rows[name] = query.row = Row(name, query.columns, query.where)
    for query in queries:
        if query.mode not in WITHOUT_RESULT and query.row is None:
            if query.row_name not in rows:
                raise Mistake(query.where, f"row '{query.row_name}' is defined nowhere")
            query.row = rows[query.row_name]
    return queries, list(rows.values())
