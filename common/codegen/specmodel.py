"""The model of a specification: schemas and their fields, as api-specs/README.md defines them.

Reads YAML, resolves names, decides what each property is in C. Knows nothing of C text: that is cwriter.py.
"""
import re
import sys

import yaml


class SpecError(Exception):
    pass


def snake(name):
    name = re.sub(r'([A-Z]+)([A-Z][a-z])', r'\1_\2', name)
    name = re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', name)
    return name.replace('-', '_').replace(':', '_').replace('.', '_').lower()


def c_name(text):
    name = re.sub(r'[^A-Za-z0-9_]', '_', text)
    if not name or name[0].isdigit():
        name = '_' + name
    return name + '_' if name in C_WORDS else name


def version(text):
    if text is None:
        return 0
    major, minor = str(text).split('.')
    return int(major) * 1000 + int(minor)


C_WORDS = set('''auto break case char const continue default do double else enum extern float for goto if inline int
long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
bool set'''.split())

FORMATS = {'uuid': 'UUID', 'uuid-hex': 'UUID_HEX', 'ipv4': 'IPV4', 'ipv6': 'IPV6', 'ip': 'IP', 'cidr': 'CIDR',
           'mac': 'MAC', 'name': 'NAME', 'hostname': 'HOSTNAME', 'uri': 'URI'}
FILTERS = {'eq': 'EQ', 'ne': 'NE', 'like': 'LIKE', 'contains': 'LIKE', 'prefix': 'PREFIX', 'in': 'IN', 'gt': 'GT',
           'lt': 'LT', 'bool': 'EQ', 'regex': 'REGEX'}
PROPERTY_KEYS = {'type', 'format', 'enum', 'minLength', 'maxLength', 'minimum', 'maximum', 'pattern', 'minItems',
                 'maxItems', 'uniqueItems', 'items', 'properties', 'required', 'additionalProperties', 'default',
                 'readOnly', 'writeOnly', 'description', '$ref', 'x-virga', 'examples', 'anyOf', 'oneOf'}
X_KEYS = {'name', 'column', 'immutable', 'filter', 'sort', 'views', 'since', 'until', 'hide_null', 'on_write', 'policy', 'alias',
          'coerce', 'spread'}


class Enum:
    def __init__(self, name, values):
        self.name, self.values = name, values

    def constant(self, value):
        text = re.sub(r'[^A-Za-z0-9]', '_', str(value)).upper() or 'EMPTY'
        return '%s_%s' % (self.name.upper(), text)


class Field:
    def __init__(self, key):
        self.key = key              # property key
        self.member = c_name(key)   # C member
        self.json = key             # name on the wire
        self.column = key
        self.type = None
        self.flags = []
        self.filters = []
        self.format = None
        self.object = None          # Schema of T_OBJECT(S)
        self.enum = None
        self.pattern = None
        self.default = None
        self.min_length = self.max_length = -1
        self.item_min = self.item_max = 0   # Of the texts in an array
        self.min = self.max = None
        self.since = self.until = 0
        self.policy = False


class Schema:
    def __init__(self, name, where):
        self.name, self.where = name, where
        self.fields = []
        self.open = False
        self.min_members = 0
        self.resource = None

    def field_index(self, key):
        for i, f in enumerate(self.fields):
            if f.key == key:
                return i
        return -1


class Model:
    """All schemas of one service, in order of declaration."""

    def __init__(self):
        self.raw, self.schemas, self.enums = {}, {}, {}

    def add_raw(self, name, node, where):
        if name in self.raw:
            raise SpecError('%s: schema %s exists already' % (where, name))
        self.raw[name] = (node, where)

    def resolve_all(self):
        for name, (node, where) in list(self.raw.items()):
            if 'enum' in node and 'properties' not in node:
                self.enums[name] = Enum(snake(name), node['enum'])
        for name in list(self.raw):
            if name not in self.enums:
                self.schema(name)

    def schema(self, name):
        if name in self.schemas:
            return self.schemas[name]
        if name not in self.raw:
            raise SpecError('unknown schema %s' % name)
        node, where = self.raw[name]
        return self.build(name, snake(name), node, where)

    def build(self, key, c, node, where):
        s = Schema(c, '%s: %s' % (where, key))
        self.schemas[key] = s       # before its fields: schemas may nest in themselves
        s.open = node.get('additionalProperties', False) is not False
        s.min_members = node.get('minProperties', 0)
        s.resource = node.get('x-virga-resource')
        required = node.get('required', [])
        for prop, body in (node.get('properties') or {}).items():
            s.fields.append(self.field(s, prop, body, prop in required))
        for r in required:
            if r not in (node.get('properties') or {}):
                raise SpecError('%s: required %s is not a property' % (s.where, r))
        if len(s.fields) > 128:
            raise SpecError('%s: more than 128 fields' % s.where)
        if 'count' in (node.get('properties') or {}):
            raise SpecError('%s: count is the name of the number of members; call the property otherwise, with x-virga name: count' % s.where)
        return s

    def ref(self, text):
        return text.rsplit('/', 1)[-1]

    def field(self, s, prop, body, required):
        where = '%s.%s' % (s.where, prop)
        if not isinstance(body, dict):
            raise SpecError('%s: not an object' % where)
        unknown = set(body) - PROPERTY_KEYS
        if unknown:
            raise SpecError('%s: unknown keyword %s' % (where, ', '.join(sorted(unknown))))
        x = body.get('x-virga', {})
        if set(x) - X_KEYS:
            raise SpecError('%s: unknown x-virga key %s' % (where, ', '.join(sorted(set(x) - X_KEYS))))
        f = Field(prop)
        self.decide_type(s, f, body, where)
        if required:
            f.flags.append('REQUIRED')
        if body.get('readOnly'):
            f.flags.append('READ_ONLY')
        if body.get('writeOnly'):
            f.flags.append('WRITE_ONLY')
        if x.get('immutable'):
            f.flags.append('IMMUTABLE')
        if x.get('sort'):
            f.flags.append('SORT')
        if x.get('on_write') is False:
            f.flags.append('GET_ONLY')
        if x.get('hide_null'):
            f.flags.append('HIDE_NULL')
        if x.get('alias'):
            f.flags.append('ALIAS')
        if x.get('coerce'):
            f.flags.append('COERCE')
        if x.get('spread'):
            if 'TEXT_VALUES' not in f.flags and x['spread'] != 'any':
                raise SpecError('%s: spread needs an object of strings' % where)
            f.flags.append('SPREAD')
            if x['spread'] == 'any':
                f.flags.append('SPREAD_ANY')
        if body.get('uniqueItems'):
            f.flags.append('UNIQUE_ITEMS')
        if x.get('views') == ['detail']:
            f.flags.append('DETAIL')
        elif x.get('views') == ['summary']:
            f.flags.append('SUMMARY_ONLY')
        elif 'views' in x and sorted(x['views']) != ['detail', 'summary']:
            raise SpecError('%s: views are detail and summary' % where)
        f.json = x.get('name', prop)
        column = x.get('column', prop)
        f.column = None if column is False or not s.resource else column
        if f.column is None:
            f.flags.append('NO_COLUMN')
        for name in x.get('filter', []):
            if name not in FILTERS:
                raise SpecError('%s: unknown filter %s' % (where, name))
            if FILTERS[name] not in f.filters:
                f.filters.append(FILTERS[name])
        if 'default' in body:
            f.flags.append('DEFAULT')
            f.default = body['default']
        f.policy = bool(x.get('policy'))
        f.since, f.until = version(x.get('since')), version(x.get('until'))
        f.pattern = body.get('pattern')
        length = ('minItems', 'maxItems') if f.type in ('TEXTS', 'OBJECTS') or 'ANY_ARRAY' in f.flags \
            else ('minLength', 'maxLength')
        f.min_length, f.max_length = body.get(length[0], -1), body.get(length[1], -1)
        f.min, f.max = body.get('minimum'), body.get('maximum')
        if f.type == 'TEXTS':
            items = body.get('items') or {}
            f.pattern = items.get('pattern')
            f.item_min, f.item_max = items.get('minLength', 0), items.get('maxLength', 0)
        return f

    def decide_type(self, s, f, body, where):
        if '$ref' in body:
            name = self.ref(body['$ref'])
            if name in self.enums:
                f.type, f.enum = 'ENUM', self.enums[name]
            else:
                f.type, f.object = 'OBJECT', self.schema(name)
            if body.get('type') == 'null' or 'null' in (body.get('type') or []):
                f.flags.append('NULL')
            return
        types = body.get('type', [])
        types = [types] if isinstance(types, str) else list(types)
        if 'null' in types:
            f.flags.append('NULL')
            types.remove('null')
        if len(types) != 1 or 'anyOf' in body or 'oneOf' in body:
            f.type = 'JSON'
            if not types:
                f.flags.append('NULL')
            return
        t = types[0]
        if t == 'string':
            if body.get('format') == 'date-time':
                f.type = 'TIME'
            elif 'enum' in body:
                key = '%s.%s' % (s.name, f.key)
                f.type = 'ENUM'
                f.enum = self.enums.setdefault(key, Enum('%s_%s' % (s.name, snake(c_name(f.key))),
                                                         [v for v in body['enum'] if v is not None]))
            else:
                f.type = 'TEXT'
                if 'format' in body:
                    if body['format'] not in FORMATS:
                        raise SpecError('%s: unknown format %s' % (where, body['format']))
                    f.format = FORMATS[body['format']]
        elif t == 'integer':
            f.type = 'INT'
        elif t == 'number':
            f.type = 'NUMBER'
        elif t == 'boolean':
            f.type = 'BOOL'
        elif t == 'array':
            items = body.get('items') or {}
            if '$ref' in items and self.ref(items['$ref']) not in self.enums:
                f.type, f.object = 'OBJECTS', self.schema(self.ref(items['$ref']))
            elif 'properties' in items:
                f.type, f.object = 'OBJECTS', self.inline(s, f, items)
            elif items.get('type') == 'string':
                f.type = 'TEXTS'
            else:
                f.type = 'JSON'
                f.flags.append('ANY_ARRAY')
        elif t == 'object':
            extra = body.get('additionalProperties')
            if 'properties' in body:
                f.type, f.object = 'OBJECT', self.inline(s, f, body)
            else:
                f.type = 'JSON'
                f.flags.append('ANY_OBJECT')
                if isinstance(extra, dict) and extra.get('type') == 'string':
                    f.flags.append('TEXT_VALUES')
        else:
            raise SpecError('%s: unknown type %s' % (where, t))

    def inline(self, s, f, node):
        c = '%s_%s' % (s.name, snake(c_name(f.key)))
        return self.build('%s.%s' % (s.name, f.key), c, node, s.where)


class Loader(yaml.SafeLoader):
    """Refuses duplicate keys, which YAML's own loader lets pass."""


def construct_mapping(loader, node, deep=False):
    seen = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=deep)
        if key in seen:
            raise SpecError('%s: %s stands twice' % (str(key_node.start_mark).strip(), key))
        seen.add(key)
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, construct_mapping)
# Times and the words yes/no/on/off are text in our files.
Loader.yaml_implicit_resolvers = {
    k: [(tag, rx) for tag, rx in v if tag != 'tag:yaml.org,2002:timestamp'
        and not (tag == 'tag:yaml.org,2002:bool' and k in 'yYnNoO')]
    for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def read_yaml(path):
    try:
        with open(path, encoding='utf-8') as file:
            return yaml.load(file, Loader) or {}
    except yaml.YAMLError as e:
        raise SpecError('%s: %s' % (path, e))


def die(error):
    print('error: %s' % error, file=sys.stderr)
    sys.exit(1)
