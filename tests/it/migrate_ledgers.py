"""What each of twelve tools leaves in a database, and what pgc migrate makes of it.

usage: migrate_ledgers.py PGBIN WORK   (PG* variables name the server; pgc-migrate is in PATH)

Of every format: two migrations that the old tool has applied (its own DDL and statements, checksums computed here), a third one that
comes later. Reported by `adopt --dry-run`, kept by `adopt`, gone on with (the row that the old tool would write, under its lock), taken
back, changed, followed by one that `new` makes, and copied by `adopt --mode copy`. Prints "ok NAME" or "not ok NAME: what differs".
"""
import base64, concurrent.futures, hashlib, json, os, re, subprocess, sys, time, zlib

pgbin, work = sys.argv[1:3]
GATE = 4711      # the third migration waits for this advisory lock


def psql(db, sql):
    r = subprocess.run([pgbin + '/psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', db, '-c', sql], capture_output=True, text=True)
    if r.returncode:
        raise RuntimeError(r.stderr)
    return r.stdout.rstrip('\n')


def rows(db, table):
    return [json.loads(x) for x in psql(db, f'select row_to_json(t) from {table} t order by 1::text').split('\n') if x]


# --- checksums and keys, as the old tools compute them ------------------------------------------------------------------------

def signed(n, bits):
    return n - (1 << bits) if n >= 1 << (bits - 1) else n


def flyway_crc(text):
    crc = 0
    for line in re.split('\r\n|\r|\n', text.removeprefix('\ufeff')):
        crc = zlib.crc32(line.encode(), crc)
    return signed(crc, 32)


def siphash13(data):
    mask = (1 << 64) - 1
    rotate = lambda x, n: ((x << n) | (x >> (64 - n))) & mask
    v = [0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261, 0x7465646279746573]

    def turn():
        v[0] = (v[0] + v[1]) & mask; v[1] = rotate(v[1], 13) ^ v[0]; v[0] = rotate(v[0], 32)
        v[2] = (v[2] + v[3]) & mask; v[3] = rotate(v[3], 16) ^ v[2]
        v[0] = (v[0] + v[3]) & mask; v[3] = rotate(v[3], 21) ^ v[0]
        v[2] = (v[2] + v[1]) & mask; v[1] = rotate(v[1], 17) ^ v[2]; v[2] = rotate(v[2], 32)

    tail = len(data) % 8
    padded = data + bytes(7 - tail) + bytes([len(data) & 255])
    for i in range(0, len(padded), 8):
        word = int.from_bytes(padded[i:i + 8], 'little')
        v[3] ^= word
        turn()
        v[0] ^= word
    v[2] ^= 255
    for _ in range(3):
        turn()
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def refinery_sum(name, version, text, width=4):
    return str(siphash13(name.encode() + b'\xff' + version.to_bytes(width, 'little') + text.encode() + b'\xff'))


def atlas_hashes(files):
    run, out = hashlib.sha256(), {}
    for name in sorted(files):
        if name.endswith('.sql'):
            run.update(name.encode() + files[name].encode())
            out[name] = base64.b64encode(run.copy().digest()).decode()
    return out


def atlas_sum(files):
    hashes = atlas_hashes(files)
    whole = base64.b64encode(hashlib.sha256(''.join(n + h for n, h in hashes.items()).encode()).digest()).decode()
    return f'h1:{whole}\n' + ''.join(f'{n} h1:{h}\n' for n, h in hashes.items())


def graphile_file(previous, body):
    text = ((previous or '') + '\n' + body.strip()).strip() + '\n'
    digest = 'sha1:' + hashlib.sha1(text.encode()).hexdigest()
    return digest, f'--! Previous: {previous or "-"}\n--! Hash: {digest}\n\n{body}'


def crc_key(*parts):
    return zlib.crc32('\0'.join(parts).encode()) * 1486364155 % (1 << 32)


# --- the formats -----------------------------------------------------------------------------------------------------------------

class Soon:
    """A time or a duration: only its kind is known."""

    def __init__(self, pattern):
        self.pattern = pattern

    def __eq__(self, other):
        return re.fullmatch(self.pattern, str(other)) is not None

    def __repr__(self):
        return f'/{self.pattern}/'


TIME = Soon(r'20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00)?')
RFC3339 = Soon(r'20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z')
NUMBER = Soon(r'\d+')

A, B = 'create table a (i int);\n', 'create table b (i int);\ninsert into b values (1);\n'
C = f'create table c (i int);\nselect pg_advisory_xact_lock_shared({GATE});\n'


def text(directive_up, up, directive_down, down):
    return f'{directive_up}\n{up}\n{directive_down}\n{down}\n'


def formats():
    up_down = lambda tag: lambda sql, t: text(f'-- {tag}', sql, f'-- {tag.replace("Up", "Down").replace("up", "down")}', f'drop table {t};')
    dbmate, goose, sqlmigrate = up_down('migrate:up'), up_down('+goose Up'), up_down('+migrate Up')
    yield dict(name='dbmate', looks_like='native', table='schema_migrations', downs=True,
               files={'20240101000000_a.sql': dbmate(A, 'a'), '20240102000000_b.sql': dbmate(B, 'b')},
               more={'20240103000000_c.sql': dbmate(C, 'c')},
               ledger='''create table if not exists "public"."schema_migrations" (version varchar primary key);
                         insert into "public"."schema_migrations" (version) values ('20240101000000');
                         insert into "public"."schema_migrations" (version) values ('20240102000000');''',
               row=dict(version='20240103000000'), made=['T_made_now.sql'])
    yield dict(name='golang-migrate', table='schema_migrations', downs=True, newest_only=True,
               files={'1_a.up.sql': A, '1_a.down.sql': 'drop table a;', '2_b.up.sql': B, '2_b.down.sql': 'drop table b;'},
               more={'3_c.up.sql': C, '3_c.down.sql': 'drop table c;'},
               ledger='''CREATE TABLE IF NOT EXISTS "public"."schema_migrations" (version bigint not null primary key, dirty boolean not null);
                         begin; TRUNCATE "public"."schema_migrations"; INSERT INTO "public"."schema_migrations" (version, dirty) VALUES (2, true); commit;
                         begin; TRUNCATE "public"."schema_migrations"; INSERT INTO "public"."schema_migrations" (version, dirty) VALUES (2, false); commit;''',
               row=dict(version=3, dirty=False), made=['4_made_now.down.sql', '4_made_now.up.sql'],
               keys=lambda db: {crc_key('public', 'schema_migrations', '/' + db), crc_key('public', 'schema_migrations', db)})
    goose_rows = '''INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true);
                    INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, true);
                    INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, true);'''
    goose_files = dict(files={'00001_a.sql': goose(A, 'a'), '00002_b.sql': goose(B, 'b')}, more={'00003_c.sql': goose(C, 'c')})
    yield dict(name='goose', table='goose_db_version', downs=True, **goose_files,
               ledger='''CREATE TABLE goose_db_version (id integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, version_id bigint NOT NULL,
                         is_applied boolean NOT NULL, tstamp timestamp NOT NULL DEFAULT now());''' + goose_rows,
               row=dict(id=4, version_id=3, is_applied=True, tstamp=TIME), made=['00004_made_now.sql'], keys=lambda db: {4097083626})
    # Before 3.22; a version that went down left a row that says so, and was applied again.
    yield dict(name='goose', case='goose before 3.22', table='goose_db_version', downs=True, **goose_files,
               ledger='''CREATE TABLE goose_db_version (id serial NOT NULL, version_id bigint NOT NULL, is_applied boolean NOT NULL,
                         tstamp timestamp NULL default now(), PRIMARY KEY(id));''' + goose_rows + '''
                         INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, false);
                         INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, true);''',
               row=dict(id=6, version_id=3, is_applied=True, tstamp=TIME), made=['00004_made_now.sql'], keys=lambda db: {4097083626})
    view = 'create or replace view v as select 1 as one;\n'
    fly = "INSERT INTO \"public\".\"flyway_schema_history\" (installed_rank, version, description, type, script, checksum, installed_by, execution_time, success) VALUES "
    flyway_ddl = '''CREATE TABLE IF NOT EXISTS "public"."flyway_schema_history" ("installed_rank" INT NOT NULL, "version" VARCHAR(50),
        "description" VARCHAR(200) NOT NULL, "type" VARCHAR(20) NOT NULL, "script" VARCHAR(1000) NOT NULL, "checksum" INTEGER,
        "installed_by" VARCHAR(100) NOT NULL, "installed_on" TIMESTAMP NOT NULL DEFAULT now(), "execution_time" INTEGER NOT NULL, "success" BOOLEAN NOT NULL);
        ALTER TABLE "public"."flyway_schema_history" ADD CONSTRAINT "flyway_schema_history_pk" PRIMARY KEY ("installed_rank");
        CREATE INDEX "flyway_schema_history_s_idx" ON "public"."flyway_schema_history" ("success");'''
    undo = 'drop table c;\n'
    yield dict(name='flyway', table='flyway_schema_history', downs=True, checksums=True,
               files={'V1__first_one.sql': A, 'sub/V1.1__b.sql': B, 'R__view.sql': view}, more={'V2__c.sql': C, 'U2__c.sql': undo},
               ledger=flyway_ddl + fly + "(0, null, '<< Flyway Schema Creation >>', 'SCHEMA', '\"public\"', null, 'postgres', 0, true);"
               + fly + f"(1, '1', 'first one', 'SQL', 'V1__first_one.sql', {flyway_crc(A)}, 'postgres', 12, true);"
               + fly + f"(2, '1.1', 'b', 'SQL', 'sub/V1.1__b.sql', {flyway_crc(B)}, 'postgres', 3, true);"
               + fly + f"(3, null, 'view', 'SQL', 'R__view.sql', {flyway_crc(view)}, 'postgres', 3, true);",
               row=dict(installed_rank=4, version='2', description='c', type='SQL', script='V2__c.sql', checksum=flyway_crc(C), installed_by='postgres',
                        installed_on=TIME, execution_time=NUMBER, success=True),
               down_row=dict(installed_rank=5, version='2', description='c', type='UNDO_SQL', script='U2__c.sql', checksum=flyway_crc(undo),
                             installed_by='postgres', installed_on=TIME, execution_time=NUMBER, success=True),
               keys=lambda db: {77433833903597}, change='sub/V1.1__b.sql', made=['U3__made_now.sql', 'V3__made_now.sql'])
    sha384 = lambda sql: hashlib.sha384(sql.encode()).hexdigest()
    sqlx_ddl = '''CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
        installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL);'''
    sqlx_row = lambda v, d, sql: f'''INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES ({v}, '{d}', TRUE, '\\x{sha384(sql)}', -1);
        UPDATE _sqlx_migrations SET execution_time = 1234567 WHERE version = {v};'''
    sqlx = dict(name='sqlx', table='_sqlx_migrations', checksums=True,
                ledger=sqlx_ddl + sqlx_row(20240101000000, 'make a', A) + sqlx_row(20240102000000, 'b', B),
                row=dict(version=20240103000000, description='c', installed_on=TIME, success=True, checksum='\\x' + sha384(C), execution_time=NUMBER),
                keys=lambda db: {0x3d32ad9e * zlib.crc32(db.encode())})
    yield dict(sqlx, case='sqlx reversible', downs=True, made=['T_made_now.down.sql', 'T_made_now.up.sql'],
               files={'20240101000000_make_a.up.sql': A, '20240101000000_make_a.down.sql': 'drop table a;',
                      '20240102000000_b.up.sql': B, '20240102000000_b.down.sql': 'drop table b;'},
               more={'20240103000000_c.up.sql': C, '20240103000000_c.down.sql': 'drop table c;'})
    yield dict(sqlx, case='sqlx simple', looks_like='native', made=['T_made_now.sql'], files={'20240101000000_make_a.sql': A, '20240102000000_b.sql': B},
               more={'20240103000000_c.sql': C})
    yield dict(name='diesel', table='__diesel_schema_migrations', downs=True,
               files={'2024-01-01-000000_a/up.sql': A, '2024-01-01-000000_a/down.sql': 'drop table a;',
                      '2024-01-02-000000_b/up.sql': B, '2024-01-02-000000_b/down.sql': 'drop table b;'},
               more={'2024-01-03-000000_c/up.sql': C, '2024-01-03-000000_c/down.sql': 'drop table c;'},
               ledger='''CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
                         INSERT INTO "__diesel_schema_migrations" ("version") VALUES ('20240101000000');
                         INSERT INTO "__diesel_schema_migrations" ("version") VALUES ('20240102000000');''',
               row=dict(version='20240103000000', run_on=TIME), made=['D_made_now/down.sql', 'D_made_now/up.sql'])
    refinery_ddl = lambda t: f'CREATE TABLE IF NOT EXISTS refinery_schema_history(version {t} PRIMARY KEY, name VARCHAR(255), applied_on VARCHAR(255), checksum VARCHAR(255));'
    refinery_row = lambda v, n, sql, w: f"INSERT INTO refinery_schema_history (version,name,applied_on,checksum) VALUES ({v}, '{n}', '2024-01-0{v}T10:00:00.123456789Z', '{refinery_sum(n, v, sql, w)}');"
    for width, t in ((4, 'INT4'), (8, 'INT8')):
        yield dict(name='refinery', case=f'refinery {t}', looks_like='flyway', table='refinery_schema_history', checksums=True,
                   files={'V1__make_a.sql': A, 'V2__b.sql': B}, more={'V3__c.sql': C},
                   ledger=refinery_ddl(t) + refinery_row(1, 'make_a', A, width) + refinery_row(2, 'b', B, width),
                   row=dict(version=3, name='c', applied_on=RFC3339, checksum=refinery_sum('c', 3, C, width)), made=['V4__made_now.sql'])
    tern = lambda sql, t: f'{sql}\n---- create above / drop below ----\n\ndrop table {t};\n'
    yield dict(name='tern', table='public.schema_version', downs=True, newest_only=True,
               files={'001_a.sql': tern(A, 'a'), '002_b.sql': tern(B, 'b')}, more={'003_c.sql': tern(C, 'c')},
               ledger='''create table if not exists public.schema_version(version int4 not null primary key);
                         insert into public.schema_version(version) select 0 where 0=(select count(*) from public.schema_version);
                         update public.schema_version set version=1; update public.schema_version set version=2;''',
               row=dict(version=3), keys=lambda db: {9628173550095224}, made=['004_made_now.sql'])
    old, new = {'20240101000000_a.sql': A, '20240102000000_b.sql': B}, {'20240103000000_c.sql': C}
    revision = lambda v, d, n: f'''INSERT INTO "atlas_schema_revisions"."atlas_schema_revisions" ("version", "description", "type", "applied", "total", "executed_at",
        "execution_time", "error", "error_stmt", "hash", "partial_hashes", "operator_version") VALUES ('{v}', '{d}', 2, {n}, {n}, now(), 1500000, '', '',
        '{atlas_hashes(old)[v + '_' + d + '.sql']}', 'null', 'Atlas CLI v0.30.0');'''
    yield dict(name='atlas', table='atlas_schema_revisions.atlas_schema_revisions', checksums=True,
               files={**old, 'atlas.sum': atlas_sum(old)}, more={**new, 'atlas.sum': atlas_sum({**old, **new})},
               ledger='''CREATE SCHEMA IF NOT EXISTS "atlas_schema_revisions";
                         CREATE TABLE "atlas_schema_revisions"."atlas_schema_revisions" ("version" character varying NOT NULL, "description" character varying NOT NULL,
                         "type" bigint NOT NULL DEFAULT 2, "applied" bigint NOT NULL DEFAULT 0, "total" bigint NOT NULL DEFAULT 0, "executed_at" timestamptz NOT NULL,
                         "execution_time" bigint NOT NULL, "error" text NULL, "error_stmt" text NULL, "hash" character varying NOT NULL, "partial_hashes" jsonb NULL,
                         "operator_version" character varying NOT NULL, PRIMARY KEY ("version"));
                         INSERT INTO "atlas_schema_revisions"."atlas_schema_revisions" VALUES ('.atlas_cloud_identifier', 'x', 1, 0, 0, now(), 0, '', '', '', 'null', 'Atlas CLI');'''
               + revision('20240101000000', 'a', 1) + revision('20240102000000', 'b', 2),
               row=dict(version='20240103000000', description='c', type=2, applied=2, total=2, executed_at=TIME, execution_time=NUMBER, error='', error_stmt='',
                        hash=atlas_hashes({**old, **new})['20240103000000_c.sql'], partial_hashes=None, operator_version=Soon('pgc .*')),
               keys=lambda db: {2686470616}, change='20240102000000_b.sql', made=['T_made_now.sql', 'atlas.sum'])
    h1, f1 = graphile_file(None, A)
    h2, f2 = graphile_file(h1, B)
    h3, f3 = graphile_file(h2, C)
    yield dict(name='graphile-migrate', table='graphile_migrate.migrations', checksums=True,
               files={'committed/000001.sql': f1, 'committed/000002-b.sql': f2, 'current.sql': '-- Enter migration here\n'}, more={'committed/000003.sql': f3},
               ledger='''create schema if not exists graphile_migrate;
                         create table if not exists graphile_migrate.migrations (hash text primary key, previous_hash text references graphile_migrate.migrations,
                         filename text not null, date timestamptz not null default now());
                         create table if not exists graphile_migrate.current (filename text primary key default 'current.sql', content text not null,
                         date timestamptz not null default now());'''
               + f"insert into graphile_migrate.migrations(hash, previous_hash, filename) values ('{h1}', null, '000001.sql');"
               + f"insert into graphile_migrate.migrations(hash, previous_hash, filename) values ('{h2}', '{h1}', '000002-b.sql');",
               row=dict(hash=h3, previous_hash=h2, filename='000003.sql', date=TIME), keys=lambda db: {4727445306447283},
               change='committed/000002-b.sql', changed=graphile_file(h1, B + 'select 1;\n')[1],
               made=['committed/000004-made_now.sql', 'current.sql'])
    # Numbers, and names without any.
    for title, (first, second, third), made in (('sql-migrate', ('1-a.sql', '2_b.sql', '10_c.sql'), ['11-made_now.sql']),
                                                ('sql-migrate by names', ('a-first.sql', 'b.sql', 'c.sql'), None)):
        yield dict(name='sql-migrate', case=title, table='gorp_migrations', downs=True, made=made,
                   files={first: sqlmigrate(A, 'a'), second: sqlmigrate(B, 'b')}, more={third: sqlmigrate(C, 'c')},
                   ledger=f'''create table if not exists "gorp_migrations" ("id" text not null primary key, "applied_at" timestamp with time zone);
                              insert into "gorp_migrations" ("id","applied_at") values ('{first}', now());
                              insert into "gorp_migrations" ("id","applied_at") values ('{second}', now());''',
                   row=dict(id=third, applied_at=TIME))
    supabase_row = lambda v, n, s: f"INSERT INTO supabase_migrations.schema_migrations(version, name, statements) VALUES('{v}', '{n}', array[{s}]);"
    yield dict(name='supabase', folder='supabase/migrations', table='supabase_migrations.schema_migrations',
               files={'20240101000000_a.sql': A, '20240102000000_b.sql': B}, more={'20240103000000_c.sql': C},
               ledger='''CREATE SCHEMA IF NOT EXISTS supabase_migrations;
                         CREATE TABLE IF NOT EXISTS supabase_migrations.schema_migrations (version text NOT NULL PRIMARY KEY);
                         ALTER TABLE supabase_migrations.schema_migrations ADD COLUMN IF NOT EXISTS statements text[];
                         ALTER TABLE supabase_migrations.schema_migrations ADD COLUMN IF NOT EXISTS name text;'''
               + supabase_row('20240101000000', 'a', "'create table a (i int)'")
               + supabase_row('20240102000000', 'b', "'create table b (i int)', 'insert into b values (1)'"),
               row=dict(version='20240103000000', name='c', statements=[s.strip() for s in C.split(';') if s.strip()]), made=['T_made_now.sql'])
    # A ledger of the first releases: nothing but versions.
    yield dict(name='supabase', case='supabase, old ledger', folder='supabase/migrations', table='supabase_migrations.schema_migrations',
               files={'20240101000000_a.sql': A, '20240102000000_b.sql': B}, more={'20240103000000_c.sql': C},
               ledger='''CREATE SCHEMA supabase_migrations; CREATE TABLE supabase_migrations.schema_migrations (version text NOT NULL PRIMARY KEY);
                         INSERT INTO supabase_migrations.schema_migrations(version) VALUES('20240101000000'), ('20240102000000');''',
               row=dict(version='20240103000000', name='c', statements=[s.strip() for s in C.split(';') if s.strip()]), made=['T_made_now.sql'])


# --- what is looked at -------------------------------------------------------------------------------------------------------------

class Case:
    def __init__(self, spec):
        self.spec, self.told = spec, []
        self.title = spec.get('case', spec['name'])
        self.db = 'l_' + re.sub('[^a-z0-9]', '_', self.title.lower())
        self.dir = f"{work}/{self.db}/{spec.get('folder', 'm')}"

    def write(self, files):
        for name, content in files.items():
            path = f'{self.dir}/{name}'
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'w') as f:
                f.write(content)

    def is_(self, what, got, want):
        # `want` stands on the left: it knows how to compare times.
        self.told.append(f'ok {self.title}: {what}' if want == got else f'not ok {self.title}: {what}: {got!r}, wanted {want!r}'.replace('\n', ' '))

    def like(self, what, got, pattern):
        self.is_(what, got if not re.search(pattern, got, re.S) else pattern, pattern)

    def migrate(self, verb, *args, named=True):
        options = ['--format', self.spec['name']] if named else []
        return subprocess.run(['pgc-migrate', verb, '-d', self.db, '--dir', self.dir, *options, *args], capture_output=True, text=True)

    def ledger(self):
        """Columns that the table has got since then say nothing about the old rows."""
        return [{k: v for k, v in r.items() if v is not None or k in self.columns} for r in rows(self.db, self.spec['table'])]

    def everything(self):
        return [self.ledger(), psql(self.db, "select to_regclass('pgc.migrations') is null, to_regclass('c') is null")]

    def states(self, r):
        state = json.loads(r.stdout or '{"migrations":[]}')
        return [m['state'] for m in state['migrations']]

    # -- steps

    def start(self):
        psql('postgres', f'create database {self.db}')
        psql(self.db, A + B)
        psql(self.db, self.spec['ledger'])
        self.columns = rows(self.db, self.spec['table'])[0].keys()
        self.write(self.spec['files'])
        if self.spec['name'] == 'flyway':
            psql(self.db, self.spec['files']['R__view.sql'])

    def looked_at(self):
        """By content alone; a wrong name is refused; without a word about the ledger nothing begins anew."""
        likes = self.spec.get('looks_like', self.spec['name'])
        r = self.migrate('plan', '--offline', '--json', named=False)
        self.is_('found out by content', json.loads(r.stdout or '{}').get('format'), likes)
        if likes != self.spec['name']:
            before = self.everything()
            r = self.migrate('up', named=False)
            self.is_('not begun anew', r.returncode, 78)
            self.like('says what to do', r.stderr, re.escape(f"migrated by {self.spec['name']} (") + '.*' + re.escape(
                f"'pgc migrate adopt --format {self.spec['name']} --dir {self.dir}'"))
            self.is_('and nothing has happened', self.everything(), before)
        wrong = 'tern' if self.spec['name'] not in ('tern', 'supabase', 'dbmate', 'sqlx') else 'flyway'
        self.is_(f'not of {wrong}', self.migrate('validate', '--offline', '--format', wrong, named=False).returncode, 65)

    def adopted(self):
        before, count = self.everything(), 2 + (self.spec['name'] == 'flyway')
        self.write(self.spec['more'])
        r = self.migrate('adopt', '--dry-run', '--json', named=False)
        self.is_('adopt --dry-run', r.returncode, 0)
        self.is_('finds the format', json.loads(r.stdout or '{}').get('format'), self.spec['name'])
        # Repeatable ones stand last.
        want = ['applied', 'applied', 'pending'] + ['applied'] * (count - 2)
        self.is_('reports each file', self.states(r), want)
        self.is_('changes nothing', self.everything(), before)
        r = self.migrate('adopt', named=False)
        self.is_('adopt', r.returncode, 0)
        self.like('says how to go on', r.stdout, f"use --format {self.spec['name']}")
        self.is_('leaves the ledger as it is', self.everything(), before)
        for name in self.spec['more']:
            if name not in self.spec['files']:
                os.unlink(f'{self.dir}/{name}')
        self.write(self.spec['files'])
        self.up_to_date('after adopt')

    def up_to_date(self, when, named=True):
        r = self.migrate('status', '--json', '--exit-code', named=named)
        state = json.loads(r.stdout or '{"pending":-1}')
        self.is_(f'{when}: up to date', [r.returncode, state['pending'], state.get('problems')], [0, 0, []])
        self.is_(f'{when}: validate', self.migrate('validate', named=named).returncode, 0)

    def gone_on(self):
        """The third one waits behind a gate of ours: its locks can be looked at for as long as that takes."""
        before = self.ledger()
        self.write(self.spec['more'])
        gate = subprocess.Popen([pgbin + '/psql', '-XAtq', '-d', self.db], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        gate.stdin.write(f'select pg_advisory_lock({GATE}), 1;\n')
        gate.stdin.flush()
        gate.stdout.readline()
        up = subprocess.Popen(['pgc-migrate', 'up', '-d', self.db, '--dir', self.dir, '--format', self.spec['name'], '--lock-timeout', '0'],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        pid = ''
        while pid == '' and up.poll() is None:
            pid = psql(self.db, f"select pid from pg_locks where locktype = 'advisory' and not granted and objid = {GATE} and database = (select oid from pg_database where datname = current_database())")
            time.sleep(0.05)
        keys = psql(self.db, f"select (classid::bigint << 32) | objid::bigint from pg_locks where locktype = 'advisory' and granted and pid = {pid or 0}").split()
        gate.stdin.close()
        out, err = up.communicate()
        gate.wait()
        want = {signed(k % (1 << 64), 64) for k in self.spec.get('keys', lambda db: set())(self.db)}
        got = {int(k) for k in keys}
        self.is_("the old tool's locks are held, and ours", (want <= got, len(got)), (True, len(want) + 1))
        self.is_('up', [up.returncode, err], [0, ''])
        after = self.ledger()
        new = [r for r in after if r not in before]
        self.is_('its row, column by column', new, [self.spec['row']])
        self.is_('the others stay', [r for r in before if r not in after], before if self.spec.get('newest_only') else [])
        self.up_to_date('after up')
        self.taken_back(before, new)

    def taken_back(self, before, new):
        r = self.migrate('down')
        if not self.spec.get('downs'):
            self.is_('down is refused', r.returncode, 65)
            self.is_('and the row stays', [x for x in self.ledger() if x not in before], new)
            return
        self.is_('down', [r.returncode, r.stderr], [0, ''])
        if 'down_row' in self.spec:
            self.is_('its row of the way down', [x for x in self.ledger() if x not in before and x not in new], [self.spec['down_row']])
        else:
            self.is_('its row is gone', self.ledger(), before)
        self.is_('so is the table', psql(self.db, "select to_regclass('c') is null"), 't')
        self.is_('pending again', 'pending' in self.states(self.migrate('status', '--json')), True)
        self.is_('up again', self.migrate('up').returncode, 0)

    def changed(self):
        name = self.spec.get('change', sorted(n for n in self.spec['files'] if n.endswith('.sql') and 'down' not in n)[1])
        files = {**self.spec['files'], **self.spec['more']}
        before = files[name]
        files[name] = self.spec.get('changed', before.replace('insert into b values (1);', 'insert into b values (2);'))
        if 'atlas.sum' in files:
            self.write({name: files[name]})
            self.like('an edited file that atlas.sum knows otherwise', self.migrate('validate').stderr, 'checksum mismatch')
            files['atlas.sum'] = atlas_sum(files)
        if self.spec['name'] == 'graphile-migrate':
            self.write({name: before + 'select 1;\n'})
            self.like('an edited file with its old hash', self.migrate('validate').stderr, 'hash does not match the body')
            # The chain goes on from the new hash.
            files['committed/000003.sql'] = graphile_file(re.search('Hash: (.*)', files[name])[1], C)[1]
        self.write(files)
        states, up = self.states(self.migrate('status', '--json')), self.migrate('up')
        drift = self.spec.get('checksums', False)
        self.is_('a changed file', ['changed' in states, up.returncode], [drift, 65 if drift else 0])
        if drift:
            self.like('up says so', up.stderr, 'has changed since it was applied')
            self.is_('adopt says so', self.migrate('adopt', '--dry-run').returncode, 65)
            self.is_('adopt --mode copy does not copy it', self.migrate('adopt', '--mode', 'copy').returncode, 65)
            if self.spec['name'] != 'graphile-migrate':  # a chain that is written anew in the middle is no repair
                self.is_('repair', self.migrate('repair').returncode, 0)
                self.up_to_date('after repair')
        self.write({**self.spec['files'], **self.spec['more']})
        if drift and self.spec['name'] != 'graphile-migrate':
            self.is_('repair back', self.migrate('repair').returncode, 0)
        # Line ends are no change, whatever the old tool says.
        if self.spec['name'] in ('flyway', 'sqlx', 'refinery'):
            self.write({name: before.replace('\n', '\r\n')})
            self.up_to_date('with other line ends')
            self.write({name: before})

    def fill(self, folder, files):
        """SQL where the file wants it. graphile-migrate's stands in current.sql before."""
        name = next(n for n in files if n.endswith('.sql') and 'down' not in n and not n.startswith('U'))
        path, sql = f'{folder}/{name}', 'create table made (i int);\n'
        content = open(path).read()
        mark = re.match('-- (migrate:up|[+]goose Up|[+]migrate Up)\n', content)
        if self.spec['name'] != 'graphile-migrate':
            with open(path, 'w') as f:
                f.write(content[:mark.end()] + sql + content[mark.end():] if mark else sql + content)
        if self.spec['name'] == 'atlas':
            r = subprocess.run(['pgc-migrate', 'validate', '--offline', '--dir', folder], capture_output=True, text=True)
            self.like('the sum before the SQL was written', r.stderr, 'checksum mismatch.*pgc migrate hash')
            self.is_('hash', subprocess.run(['pgc-migrate', 'hash', '--dir', folder], capture_output=True, text=True).stdout, f'{folder}/atlas.sum\n')

    def new(self, folder, *args):
        if self.spec['name'] == 'graphile-migrate':
            os.makedirs(folder, exist_ok=True)
            with open(f'{folder}/current.sql', 'w') as f:
                f.write('\ncreate table made (i int);\n\n')
        r = subprocess.run(['pgc-migrate', 'new', 'made now', '--dir', folder, *args], capture_output=True, text=True)
        self.is_('new', [r.returncode, r.stderr], [0, ''])
        return [line.removeprefix(folder + '/') for line in r.stdout.split('\n') if line]

    def made(self):
        """`new` makes what the format wants, in its style; with SQL in it it is the one that is pending, and applies."""
        if not self.spec['made']:
            return
        files = self.new(self.dir, '--format', self.spec['name'])
        style = lambda n: re.sub(r'^20\d{12}_', 'T_', re.sub(r'^20\d\d-\d\d-\d\d-\d{6}_', 'D_', n))
        self.is_('new files in its style', [style(n) for n in files], self.spec['made'])
        self.fill(self.dir, files)
        if self.spec['name'] == 'graphile-migrate':
            self.is_('current.sql is blank again', open(f'{self.dir}/current.sql').read(), '-- Enter migration here\n')
            self.like('nothing to commit', subprocess.run(['pgc-migrate', 'new', 'x', '--dir', self.dir],
                                                           capture_output=True, text=True).stderr, 'current.sql holds no SQL')
        r = self.migrate('plan', '--json')
        self.is_('it alone is pending', [s['file'] in files for s in json.loads(r.stdout or '{"steps":[]}')['steps']], [True])
        self.is_('and applies', [self.migrate('up').returncode, psql(self.db, "select to_regclass('made')")], [0, 'made'])
        self.up_to_date('after new')
        # In a folder that is still to be made.
        first = f'{work}/{self.db}/first'
        self.fill(first, self.new(first, '--format', self.spec['name']))
        r = subprocess.run(['pgc-migrate', 'plan', '--offline', '--json', '--dir', first, '--format', self.spec['name']], capture_output=True, text=True)
        self.is_('the first one of a folder', [s['name'] for s in json.loads(r.stdout or '{"steps":[]}')['steps']],
                 ['made now' if self.spec['name'] in ('flyway', 'sqlx', 'graphile-migrate') else 'made_now'])

    def squashed(self):
        """Flyway has baselines; the others have no file that could stand for older ones, and say so."""
        version = {'flyway': '2'}.get(self.spec['name'], [n for n in sorted(self.spec['more']) if n.endswith('.sql')][-1])
        r = self.migrate('squash', '--to', version)
        if self.spec['name'] != 'flyway':
            self.is_('squash is refused', r.returncode, 64)
            self.like('squash says why', r.stderr, f"the format '{self.spec['name']}' has no file that could stand for older migrations")
            return
        self.is_('squash', [r.returncode, r.stdout], [0, f'{self.dir}/B2__baseline.sql\n'])
        self.up_to_date('after squash')
        psql('postgres', f'create database {self.db}_new')
        new = subprocess.run(['pgc-migrate', 'up', '-d', f'{self.db}_new', '--dir', self.dir, '--format', 'flyway'], capture_output=True, text=True)
        self.is_('a new database begins with the baseline', new.returncode, 0)
        self.is_('and has the same tables', *(psql(db, "select string_agg(relname, ' ' order by relname) from pg_class where relkind in ('r', 'v') "
                                                   "and relnamespace = 'public'::regnamespace") for db in (self.db, f'{self.db}_new')))
        self.is_('what the ledger says of it', psql(f'{self.db}_new', "select string_agg(script || ' ' || type, ', ' order by installed_rank) from flyway_schema_history"),
                 'B2__baseline.sql SQL_BASELINE, V3__made_now.sql SQL, R__view.sql SQL')
        psql('postgres', f'drop database {self.db}_new')
        os.unlink(f'{self.dir}/B2__baseline.sql')

    def copied(self):
        theirs = self.ledger()
        r = self.migrate('adopt', '--mode', 'copy')
        self.is_('adopt --mode copy', r.returncode, 0)
        self.is_('our ledger', psql(self.db, 'select count(*) from pgc.migrations'), str(3 + (self.spec['name'] == 'flyway') + bool(self.spec['made'])))
        self.up_to_date('after the copy')
        r = self.migrate('status', '--json', named=False)
        self.is_('without a word about the format', [json.loads(r.stdout)['ledger'], json.loads(r.stdout)['pending']], ['pgc.migrations', 0])
        self.is_('a second copy', self.migrate('adopt', '--mode', 'copy').returncode, 1)
        self.is_('theirs is as it was', self.ledger(), theirs)
        self.is_('up with nothing to do', self.migrate('up').stdout, 'nothing to do\n')

    def run(self):
        for step in (self.start, self.looked_at, self.adopted, self.gone_on, self.changed, self.made, self.squashed, self.copied):
            try:
                step()
            except Exception as e:
                self.told.append(f'not ok {self.title}: {step.__name__}: {type(e).__name__}: {e}'.replace('\n', ' '))
                break
        psql('postgres', f'drop database if exists {self.db} with (force)')
        return self.told


with concurrent.futures.ThreadPoolExecutor(3) as pool:
    for told in pool.map(lambda spec: Case(spec).run(), list(formats())):
        print('\n'.join(told))
