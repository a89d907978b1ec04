#!/usr/bin/python3
"""Several placement daemons on one database: what one does, the other knows at its next answer; what breaks in between (the
database, a daemon) costs nothing that was accepted."""

import os
import random
import signal
import sys
import threading
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cloud import Cloud  # noqa: E402

VERSION = {"OpenStack-API-Version": "placement 1.39"}

cloud = first = second = second_daemon = None


def setUpModule():
    global cloud, first, second, second_daemon
    cloud = Cloud(services=["identity", "placement"])
    first = cloud.admin()
    second_daemon = cloud.add_daemon("placement")
    second = first.at(second_daemon)
    answering(first, second)


def tearDownModule():
    if cloud is not None:
        cloud.close()


def new():
    return str(uuid.uuid4())


def answering(*sessions, seconds=30):
    """Waits until all of them do."""
    end = time.monotonic() + seconds
    while any(s.request("GET", "placement", "/resource_providers", None, VERSION)[0] != 200 for s in sessions):
        assert time.monotonic() < end
        time.sleep(0.1)


class Case(unittest.TestCase):
    def call(self, expected, session, method, path, body=None):
        return session.expect(expected, method, "placement", path, body, VERSION)

    def provider(self, session, total=10, resource="VCPU", parent=None):
        body = {"name": "host-" + new(), "uuid": new()}
        if parent:
            body["parent_provider_uuid"] = parent
        made = self.call(200, session, "POST", "/resource_providers", body)
        self.call(200, session, "PUT", f"/resource_providers/{made['uuid']}/inventories", {
            "resource_provider_generation": made["generation"], "inventories": {resource: {"total": total}}})
        return made["uuid"]

    def claim(self, session, provider, amount=1, resource="VCPU", expected=204):
        consumer = new()
        self.call(expected, session, "PUT", "/allocations/" + consumer, {
            "allocations": {provider: {"resources": {resource: amount}}}, "project_id": "p", "user_id": "u",
            "consumer_generation": None, "consumer_type": "INSTANCE"})
        return consumer

    def found(self, session, query):
        answer = self.call(200, session, "GET", "/allocation_candidates?" + query)
        return [set(r["allocations"]) for r in answer["allocation_requests"]]


    def wait_for(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)


class TwoDaemons(Case):
    def test_each_sees_at_once_what_the_other_did(self):
        for _ in range(20):
            host = self.provider(first)
            query = f"resources=VCPU:10&in_tree={host}"
            self.assertEqual(self.found(second, query), [{host}])
            consumer = self.claim(second, host)
            self.assertEqual(self.found(first, query), [])
            self.call(204, first, "DELETE", "/allocations/" + consumer)
            self.assertEqual(self.found(second, query), [{host}])
            self.call(204, second, "DELETE", "/resource_providers/" + host)
            self.assertEqual(self.found(first, query), [])

    def test_names_that_the_other_made(self):
        trait, kind = "CUSTOM_T" + uuid.uuid4().hex.upper(), "CUSTOM_C" + uuid.uuid4().hex.upper()
        self.call(400, second, "GET", f"/allocation_candidates?resources=VCPU:1&required={trait}")
        self.call(201, first, "PUT", "/traits/" + trait)
        self.assertEqual(self.found(second, f"resources=VCPU:1&required={trait}"), [])
        self.call(201, second, "PUT", "/resource_classes/" + kind)
        host = self.provider(first, resource=kind)
        self.assertEqual(self.found(second, f"resources={kind}:1"), [{host}])
        self.assertEqual(self.found(first, f"resources={kind}:1"), [{host}])


class MirrorState(Case):
    """What a daemon says is what the database has, whatever happened to either."""

    def everything(self, session):
        """All that the mirror knows, as the daemon tells it."""
        providers = {p["uuid"]: p for p in self.call(200, session, "GET", "/resource_providers")["resource_providers"]}
        summaries = self.call(200, session, "GET", "/OS-VIRGA/overcommit?limit=10000")
        return {u: (p["name"], p["generation"], p["parent_provider_uuid"], p["root_provider_uuid"]) for u, p in providers.items()}, summaries

    def truth(self):
        rows = cloud.sql("placement", "SELECT p.uuid, p.name, p.generation, COALESCE(u.uuid, ''), r.uuid FROM provider p JOIN provider r ON r.id = p.root_id "
                                      "LEFT JOIN provider u ON u.id = p.parent_id").split("\n")
        found = {}
        for line in filter(None, rows):
            one, name, generation, parent, root = line.split("|")
            found[one] = (name, int(generation), parent or None, root)
        used = cloud.sql("placement", "SELECT COALESCE(sum(used), 0) FROM inventory WHERE class_id = 0").strip()
        return found, int(used)

    def check(self, *sessions):
        found, used = self.truth()
        for session in sessions:
            providers, summaries = self.everything(session)
            self.assertEqual(providers, found)
            self.assertEqual(summaries["cloud"]["resources"].get("VCPU", {"committed": 0})["committed"], used)

    def churn(self, session, steps):
        """Things that happen, as many as there is time for."""
        mine = [self.provider(session, 1000) for _ in range(5)]
        claimed = []
        for _ in range(steps):
            what = random.random()
            if what < 0.5:
                claimed.append(self.claim(session, random.choice(mine)))
            elif what < 0.8 and claimed:
                self.call(204, session, "DELETE", "/allocations/" + claimed.pop())
            elif what < 0.9:
                mine.append(self.provider(session, 1000, parent=random.choice(mine)))
            else:
                gone = self.provider(session, 10)
                self.call(204, session, "DELETE", "/resource_providers/" + gone)

    def test_writers_at_both(self):
        threads = [threading.Thread(target=self.churn, args=(session, 40)) for session in (first, second, first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.check(first, second)

    def test_one_that_missed_a_lot(self):
        """A daemon that stood still, then reads: all of what was changed meanwhile, in one go."""
        self.check(second)
        pid = second_daemon.process.pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            self.churn(first, 60)
            cloud.sql("placement", "UPDATE provider SET generation = generation + 1 WHERE id % 2 = 0; VACUUM ANALYZE provider_change;")
        finally:
            os.kill(pid, signal.SIGCONT)
        self.check(second, first)

    def test_transactions_that_fail(self):
        """What is rolled back was never there; what fails at its end too; and the next change is seen as ever."""
        host = self.provider(first, 5)
        self.claim(first, host, 6, expected=409)
        cloud.sql("placement", "BEGIN; UPDATE inventory SET used = 5; UPDATE provider SET generation = generation + 7; DELETE FROM consumer WHERE false; ROLLBACK;")
        cloud.sql("placement", "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;"
                               "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON consumer DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();")
        try:
            self.claim(first, host, 1, expected=500)  # At its COMMIT.
        finally:
            cloud.sql("placement", "DROP TRIGGER refuse ON consumer; DROP FUNCTION refuse")
        self.check(first, second)
        self.claim(second, host, 5)
        self.check(first, second)

    def test_the_database_starts_again(self):
        """Connections break, transactions are lost or not, and every accepted claim is there afterwards, once."""
        for statement in ("ALTER SYSTEM SET synchronous_commit = on", "SELECT pg_reload_conf()"):  # Test clouds are quick and forgetful.
            cloud.sql("postgres", statement)
        host = self.provider(first, 100000)
        stop, accepted, unknown = threading.Event(), [], []

        def write(session):
            while not stop.is_set():
                consumer = new()
                try:
                    status, _, _ = session.request("PUT", "placement", "/allocations/" + consumer, {
                        "allocations": {host: {"resources": {"VCPU": 1}}}, "project_id": "p", "user_id": "u", "consumer_generation": None,
                        "consumer_type": "INSTANCE"}, VERSION)
                except OSError:
                    status = 0
                (accepted if status == 204 else unknown).append(consumer)
                if status != 204:
                    time.sleep(0.05)

        threads = [threading.Thread(target=write, args=(session,)) for session in (first, second, first, second)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(0.5)
            postgres = cloud._cloud.postgres
            os.kill(postgres.process.pid(), signal.SIGQUIT)  # At once, without a checkpoint: it recovers when it starts.
            self.wait_for(lambda: postgres.process.pid() is None)
            cloud.restart()
            time.sleep(1)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        answering(first, second)
        there = set(self.call(200, first, "GET", f"/resource_providers/{host}/allocations")["allocations"])
        self.assertTrue(accepted)
        self.assertEqual(set(accepted) - there, set())
        self.assertLessEqual(there - set(accepted), set(unknown))
        self.assertEqual(self.call(200, second, "GET", f"/resource_providers/{host}/usages")["usages"], {"VCPU": len(there)})
        self.check(first, second)


if __name__ == "__main__":
    unittest.main()
