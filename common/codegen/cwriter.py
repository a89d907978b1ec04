"""Writes a model's schemas as C: structs, enums, field tables. Used by openapi.py and rpc.py."""
import json

C_TYPES = {'TEXT': 'const char *', 'INT': 'int64_t ', 'NUMBER': 'double ', 'BOOL': 'bool ', 'TIME': 'int64_t ',
           'TEXTS': 'struct texts ', 'JSON': 'json_t *'}
BANNER = '/* Generated from %s. Do not edit: change that. */\n'


def c_string(text):
    """A C string literal. What is not printable ASCII becomes octal (hex would swallow digits that follow)."""
    if text is None:
        return 'NULL'
    named = {34: '\\"', 92: '\\\\', 10: '\\n', 63: '\\?'}
    return '"%s"' % ''.join(named.get(b) or (chr(b) if 32 <= b < 127 else '\\%03o' % b)
                            for b in str(text).encode())


def write_if_changed(path, text):
    try:
        with open(path, encoding='utf-8') as file:
            if file.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def unique(items):
    seen = []
    for item in items:
        if item not in seen:
            seen.append(item)
    return seen


def header_part(model):
    out = []
    enums = unique(model.enums.values())
    schemas = unique(model.schemas.values())
    for e in enums:
        out.append('enum %s {\n%s};' % (e.name, ''.join('    %s,\n' % e.constant(v) for v in e.values)))
        out.append('extern const char *const %s_names[]; /* By value, NULL-terminated. */\n' % e.name)
    for s in schemas:
        out.append('struct %s;' % s.name)
    out.append('')
    for s in schemas:
        out.append('struct %s {' % s.name)
        out.append('    struct field_set set;')
        for f in s.fields:
            if f.type == 'ENUM':
                out.append('    enum %s %s;' % (f.enum.name, f.member))
            elif f.type == 'OBJECT':
                out.append('    struct %s *%s;' % (f.object.name, f.member))
            elif f.type == 'OBJECTS':
                out.append('    struct %s *%s;' % (f.object.name, f.member))
                out.append('    size_t %s_count;' % f.member)
            else:
                out.append('    %s%s;' % (C_TYPES[f.type], f.member))
        out.append('};')
        out.append('enum %s_field {\n%s    %s_F_COUNT\n};' % (
            s.name, ''.join('    %s_F_%s,\n' % (s.name.upper(), f.member.upper()) for f in s.fields), s.name.upper()))
        out.append('extern const struct schema %s_schema;\n' % s.name)
    return '\n'.join(out)


def field_row(s, f):
    parts = ['.name = %s' % c_string(f.json)]
    if f.column:
        parts.append('.column = %s' % c_string(f.column))
    parts.append('.type = T_%s' % f.type)
    if f.flags:
        parts.append('.flags = ' + ' | '.join('F_' + x for x in unique(f.flags)))
    if f.filters:
        parts.append('.filters = ' + ' | '.join('FILTER_' + x for x in f.filters))
    if f.format:
        parts.append('.format = FORMAT_' + f.format)
    parts.append('.offset = offsetof(struct %s, %s)' % (s.name, f.member))
    if f.type == 'OBJECTS':
        parts.append('.count_offset = offsetof(struct %s, %s_count)' % (s.name, f.member))
    if f.object:
        parts.append('.object = &%s_schema' % f.object.name)
    if f.enum:
        parts.append('.names = %s_names' % f.enum.name)
    if f.pattern is not None:
        parts.append('.pattern = %s' % c_string(f.pattern))
    if f.default is not None or 'DEFAULT' in f.flags:
        parts.append('.fallback = %s' % c_string(json.dumps(f.default)))
    parts.append('.min_length = %d, .max_length = %d' % (f.min_length, f.max_length))
    if f.item_min or f.item_max:
        parts.append('.item_min = %d, .item_max = %d' % (f.item_min, f.item_max))
    if f.min is not None:
        parts.append('.min = %s, .has_min = true' % float(f.min))
    if f.max is not None:
        parts.append('.max = %s, .has_max = true' % float(f.max))
    if f.since:
        parts.append('.since = %d' % f.since)
    if f.until:
        parts.append('.until = %d' % f.until)
    if f.policy:
        parts.append('.has_policy = true')
    return '    { %s },' % ', '.join(parts)


def source_part(model):
    out = []
    for e in unique(model.enums.values()):
        out.append('const char *const %s_names[] = { %s, NULL };\n' % (
            e.name, ', '.join(c_string(v) for v in e.values)))
    for s in unique(model.schemas.values()):
        if s.fields:
            out.append('static const struct field %s_fields[] = {' % s.name)
            out += [field_row(s, f) for f in s.fields]
            out.append('};')
        out.append('const struct schema %s_schema = { .name = %s, .fields = %s, .count = %d, '
                   '.size = sizeof(struct %s), .open = %s%s };\n' % (
                       s.name, c_string(s.name), s.name + '_fields' if s.fields else 'NULL', len(s.fields), s.name,
                       'true' if s.open else 'false', ', .min_members = %d' % s.min_members if s.min_members else ''))
    return '\n'.join(out)
