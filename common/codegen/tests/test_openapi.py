#!/usr/bin/python3
"""Tests of openapi.py and rpc.py: golden files, that what they make compiles, and each mistake that is refused. UPDATE_GOLDEN=1 writes
the golden files."""
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.dirname(HERE))
import openapi  # noqa: E402
import rpc  # noqa: E402


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def run_main(self, module, *arguments):
        """The exit code and what it says."""
        errors, argv = io.StringIO(), sys.argv
        sys.argv = [module.__name__ + '.py'] + list(arguments)
        code = 0
        try:
            with contextlib.redirect_stderr(errors):
                module.main()
        except SystemExit as end:
            code = end.code
        finally:
            sys.argv = argv
        return (code if isinstance(code, int) else 1), errors.getvalue() + (code if isinstance(code, str) else '')

    def assert_golden(self, name, folder):
        golden = os.path.join(HERE, folder, 'golden', name)
        made = os.path.join(self.folder, name)
        if os.environ.get('UPDATE_GOLDEN'):
            os.makedirs(os.path.dirname(golden), exist_ok=True)
            shutil.copy(made, golden)
        self.assertEqual(read(made), read(golden))

    def assert_compiles(self, name):
        done = subprocess.run(['gcc', '-std=gnu11', '-fsyntax-only', '-Wall', '-Wextra', '-Wconversion', '-Wno-unused-parameter', '-Werror', '-D_GNU_SOURCE',
                               '-I' + ROOT, '-I' + ROOT + '/common', '-I' + self.folder, os.path.join(self.folder, name)],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, '')


class OpenAPI(Case):
    def test_golden(self):
        self.assertEqual(self.run_main(openapi, HERE + '/openapi', self.folder), (0, ''))
        for name in ('widget_api.h', 'widget_api.c', 'widget_openapi.json'):
            self.assert_golden(name, 'openapi')
        self.assert_compiles('widget_api.c')

    def test_nothing_is_written_anew(self):
        """What is the same keeps its time, so that nothing is compiled again for it."""
        self.run_main(openapi, HERE + '/openapi', self.folder)
        path = os.path.join(self.folder, 'widget_api.h')
        os.utime(path, (1, 1))
        self.run_main(openapi, HERE + '/openapi', self.folder)
        self.assertEqual(os.stat(path).st_mtime, 1)

    def changed(self, name, old, new):
        """What the generator says of the specification with one text replaced."""
        spec = os.path.join(self.folder, 'spec')
        shutil.copytree(HERE + '/openapi', spec, ignore=shutil.ignore_patterns('golden'))
        path = os.path.join(spec, name)
        text = read(path)
        self.assertIn(old, text)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text.replace(old, new, 1))
        code, said = self.run_main(openapi, spec, self.folder)
        shutil.rmtree(spec)
        return code, said

    def test_mistakes(self):
        widgets, widget = 'paths/widgets.yaml', 'schemas/widget.yaml'
        for name, old, new, message in (
                (widgets, 'policy: "widget:list", ', '', 'no policy'),
                (widgets, 'policy: "widget:list"', 'policy: "widget:unheard"', 'no such policy: widget:unheard'),
                (widgets, 'verb: list', 'verb: enumerate', 'unknown verb enumerate'),
                (widgets, 'verb: list, ', '', 'either a verb or a handler'),
                (widgets, 'verb: list', 'verb: list, handler: x', 'either a verb or a handler'),
                (widgets, 'resource: Widget, view', 'view', 'a verb needs a resource'),
                (widgets, 'resource: Widget, view', 'resource: WidgetPart, view', 'is not a resource'),
                (widgets, 'view: summary', 'view: short', 'unknown view'),
                (widgets, 'view: summary', 'fallback: Widget', 'fallback needs a verb that takes an id'),
                (widgets, 'fallback: Widget', 'fallback: WidgetPart', 'and another resource'),
                (widget, '{ spread: any }', '{ spread: true }', 'spread needs an object of strings'),
                (widgets, 'operationId: list_widgets, ', '', 'no operationId'),
                (widgets, 'operationId: show_widget', 'operationId: list_widgets', 'list_widgets exists already'),
                (widgets, 'view: summary', 'view: summary, colour: red', 'unknown x-virga key colour'),
                (widgets, 'input: WidgetPaint, success', 'input: Nothing, success', 'Nothing'),
                (widgets, '  put: {', '  steal: {', 'unknown method steal'),
                (widgets, '/v2/{project_id}/uploads:', '/v2/{project_id}/imports:', 'stands twice'),
                (widgets, 'verb: show,', 'verb: show, path_id: other_id,', 'path_id is not in the path'),
                (widget, 'required: [name]\n  properties:\n    id', 'required: [nobody]\n  properties:\n    id', 'required nobody is not a property'),
                (widget, 'format: name', 'format: nickname', 'unknown format nickname'),
                (widget, 'filter: [eq, like]', 'filter: [eq, near]', 'unknown filter near'),
                (widget, 'maxItems: 4', 'maxThings: 4', 'unknown keyword maxThings'),
                (widget, 'views: [detail]', 'views: [huge]', 'views are detail and summary'),
                (widget, 'coerce: true', 'coerced: true', 'unknown x-virga key coerced'),
                (widget, 'items: { $ref: "#/WidgetPart" }', 'items: { $ref: "#/Nothing" }', 'Nothing'),
                (widget, 'order: [created_at desc]', 'order: [price_paid]', 'order by unknown price_paid'),
                (widget, 'hooks: true', 'hook: true', 'unknown resource key hook'),
                (widget, '    enabled: ', '    name: ', 'stands twice'),
                (widget, '    weight:', '    count:', 'count is the name of the number of members'),
                (widget, '{ type: number, minimum: 0 }', '{ type: decimal }', 'unknown type decimal'),
                ('openapi.yaml', '  service: widget\n', '', 'service')):
            with self.subTest(message=message):
                code, said = self.changed(name, old, new)
                self.assertNotEqual(code, 0)
                self.assertIn(message, said)
                self.assertNotIn('Traceback', said)

    def test_usage(self):
        self.assertNotEqual(self.run_main(openapi)[0], 0)


class Rpc(Case):
    def test_golden(self):
        for name in ('widget-agent', 'widget-shop'):
            self.assertEqual(self.run_main(rpc, '%s/rpc/%s.yaml' % (HERE, name), self.folder), (0, ''))
            for suffix in ('_rpc.h', '_rpc.c', '_rpc_server.c'):
                self.assert_golden(name.replace('-', '_') + suffix, 'rpc')
                if suffix.endswith('.c'):
                    self.assert_compiles(name.replace('-', '_') + suffix)

    def test_mistakes(self):
        text = read(HERE + '/rpc/widget-agent.yaml')
        for old, new, message in (('$ref: "#/AgentPart"', '$ref: "#/Nothing"', 'Nothing'), ('required: [widget_id, parts]', 'required: [name]', 'name'),
                                  ('type: integer', 'type: natural', 'natural'), ('  widget_ping:', '  widget_make:', 'stands twice'),
                                  ('x-virga: { name: widget_agent, queue: host }', '', 'x-virga')):
            with self.subTest(message=message):
                self.assertIn(old, text)
                path = os.path.join(self.folder, 'bad.yaml')
                with open(path, 'w', encoding='utf-8') as file:
                    file.write(text.replace(old, new, 1))
                code, said = self.run_main(rpc, path, self.folder)
                self.assertNotEqual(code, 0)
                self.assertIn(message, said)


if __name__ == '__main__':
    unittest.main()
