#!/usr/bin/python3
"""Tests of sql.py and migrations.py: golden files, and each mistake that is refused. UPDATE_GOLDEN=1 writes the golden files."""
import contextlib
import io
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import migrations  # noqa: E402
import sql  # noqa: E402


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        # Paths stand in the output: they begin at common/codegen.
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(os.path.dirname(HERE))

    def assert_golden(self, made, golden):
        if os.environ.get("UPDATE_GOLDEN"):
            sql.write_file(golden, read(made))
        self.assertEqual(read(made), read(golden))

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run_main(self, main, argv):
        """The exit code and what it says, without the folder's name."""
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            code = main(argv)
        return code, errors.getvalue().replace(self.folder + "/", "")


class Golden(Case):
    def test_queries(self):
        self.assertEqual(sql.main(["--service", "widget", "--out", self.folder, "tests/sql/widgets.sql"]), 0)
        for suffix in ("h", "c"):
            self.assert_golden(f"{self.folder}/widget_queries.{suffix}", f"tests/sql/widget_queries.{suffix}")

    def test_migrations(self):
        files = [f"tests/migrations/{name}" for name in ("0002-colour.sql", "0001-widgets.sql")]
        self.assertEqual(migrations.main(["widget-shop", self.folder] + files), 0)
        for suffix in ("h", "c"):
            name = f"widget_shop_migrations.{suffix}"
            self.assert_golden(f"{self.folder}/{name}", f"tests/migrations/{name}")

    def test_no_files(self):
        self.assertEqual(sql.main(["--service", "no-queries", "--out", self.folder]), 0)
        self.assertIn("db_check_signatures(db, NULL, 0, f)", read(f"{self.folder}/no_queries_queries.c"))
        self.assertEqual(migrations.main(["none", self.folder]), 0)
        self.assertIn("none_migrations_count = 0;", read(f"{self.folder}/none_migrations.c"))


class Refused(Case):
    # Text of a file; what is said.
    QUERIES = [
        ("-- a(x uuid) :exec\nDELETE FROM t WHERE x = $1;", "q.sql:1: parameter 'x' has unknown type 'uuid'"),
        ("\n-- a() :first -> (x text)\nSELECT x;", "q.sql:2: unknown ':first'"),
        ("-- a() :one thing\nSELECT 1;", "q.sql:1: ':one' needs '-> (columns)'"),
        ("-- a() :exec -> (x text)\nSELECT 1;", "q.sql:1: ':exec' has no result list"),
        ("-- a() :later -> (x text)\nSELECT 1;", "q.sql:1: ':later' has no result list"),
        ("-- a() :opt thing -> (x text)\nSELECT 1;", "q.sql:1: ':opt' takes no name ('thing')"),
        ("-- a(x text) :exec\nDELETE FROM t;", "q.sql:1: the signature has 1 parameters, the statement uses none"),
        ("-- a(x text) :exec\nDELETE FROM t WHERE x = '$1';", "q.sql:1: the signature has 1 parameters"),
        ("-- a(x text, y text) :exec\nSELECT $1, $3;", "q.sql:1: the signature has 2 parameters, the statement uses $1, $3"),
        ("-- a() :exec\nDELETE FROM t", "q.sql:1: the statement has no ';' at its end"),
        ("-- a() :exec\nDELETE FROM t; DELETE FROM u;", "q.sql:1: two statements below one signature"),
        ("-- a() :exec\nDELETE FROM t;\nVACUUM", "q.sql:1: text after the statement's ';': VACUUM"),
        ("-- a() :exec\n-- b() :exec\nSELECT 1;", "q.sql:1: "),
        ("-- a() :exec\n;", "q.sql:1: no statement below the signature"),
        ("-- a() :exec", "q.sql:1: no statement below the signature"),
        ("SELECT 1;", "q.sql:1: a statement without a signature above it"),
        ("-- a() :exec\nSELECT 1;\n-- a() :exec\nSELECT 2;", "q.sql:3: 'a' stands at q.sql:1 too"),
        ("-- a() :many -> b_row\nSELECT 1;", "q.sql:1: row 'b_row' is defined nowhere"),
        ("-- a() :opt -> r (x text)\nSELECT 1;\n-- b() :opt -> r (x text)\nSELECT 1;", "q.sql:3: row 'r' is defined at q.sql:1 too"),
        ("-- a() :opt ->\nSELECT 1;", "q.sql:1: nothing after '->'"),
        ("-- a() :opt -> ()\nSELECT 1;", "q.sql:1: no columns between the brackets"),
        ("-- a(x text,, y text) :exec\nSELECT $1, $2;", "q.sql:1: an empty parameter"),
        ("-- a(x) :exec\nSELECT $1;", "q.sql:1: parameter 'x' isn't 'name type' or 'name type?'"),
        ("-- a(x text, x text) :exec\nSELECT $1, $2;", "q.sql:1: two of the name 'x'"),
        ("-- a(default text) :exec\nSELECT $1;", "q.sql:1: parameter 'default' is a word of C"),
        ("-- a(ret text) :exec\nSELECT $1;", "q.sql:1: parameter 'ret' has a name that the generated code uses itself"),
        ("-- A(x text) :exec\nSELECT $1;", "q.sql:1: query 'A' isn't a lower case name"),
        ("-- a() :opt -> (x int8?, x_null bool)\nSELECT 1;", "q.sql:1: column 'x_null' clashes with 'x?'"),
    ]

    def test_queries(self):
        for text, said in self.QUERIES:
            with self.subTest(text=text):
                path = self.write("q.sql", text)
                code, errors = self.run_main(sql.main, ["--service", "s", "--out", self.folder + "/out", path])
                self.assertEqual(code, 1, errors)
                self.assertTrue(errors.startswith(said), errors)
                self.assertFalse(os.path.exists(self.folder + "/out"))

    def test_migrations(self):
        good = self.write("0001-a.sql", "SELECT 1;")
        cases = [
            ([good, self.write("0001-b.sql", "SELECT 1;")], "0001-b.sql: has number 1, which another has"),
            ([self.write("1-a.sql", "SELECT 1;")], "1-a.sql: isn't called NNNN-what-changes.sql"),
            ([self.write("0001-e.sql", " \n")], "0001-e.sql: is empty"),
            ([self.write("0001-t.sql", "SELECT 1;\nCOMMIT;")], "0001-t.sql:2: each migration is a transaction already"),
        ]
        for paths, said in cases:
            code, errors = self.run_main(migrations.main, ["s", self.folder + "/out"] + paths)
            self.assertEqual((code, errors.strip()), (1, said))


if __name__ == "__main__":
    unittest.main()
