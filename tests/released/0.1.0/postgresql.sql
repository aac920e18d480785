--
-- PostgreSQL database dump
--


-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: alembic_version; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);


--
-- Name: authorisation; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.authorisation (
    id smallint NOT NULL,
    generation bigint NOT NULL,
    sealed text NOT NULL,
    claimed_until double precision NOT NULL,
    note text,
    refused_at double precision
);


--
-- Name: TABLE authorisation; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.authorisation IS 'One row once `login` was run: the pair of OAuth tokens, encrypted, and whose turn it is to renew it.';


--
-- Name: backfilled; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.backfilled (
    object_id text NOT NULL,
    type text NOT NULL,
    backfill_id bigint NOT NULL,
    sent_until bigint,
    batch_id bigint,
    line integer
);


--
-- Name: TABLE backfilled; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.backfilled IS 'Objects whose history is being sent: up to which version, and its line on the way.';


--
-- Name: backfills; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.backfills (
    id bigint NOT NULL,
    type text NOT NULL,
    name text NOT NULL,
    asked text NOT NULL,
    since bigint,
    until bigint,
    state text NOT NULL,
    wave integer NOT NULL,
    waves integer NOT NULL,
    objects bigint NOT NULL,
    versions bigint NOT NULL,
    booked bigint NOT NULL,
    left_out bigint NOT NULL,
    gaps bigint NOT NULL,
    refused bigint NOT NULL,
    most_lines integer,
    tries integer NOT NULL,
    due_at double precision NOT NULL,
    started_at double precision NOT NULL,
    finished_at double precision
);


--
-- Name: TABLE backfills; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.backfills IS 'Histories of entity sources on their way to Gong: staging, sending wave by wave, done | stopped.';


--
-- Name: backfills_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.backfills_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: backfills_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.backfills_id_seq OWNED BY public.backfills.id;


--
-- Name: batches; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.batches (
    id bigint NOT NULL,
    type text NOT NULL,
    kind text NOT NULL,
    priority smallint NOT NULL,
    request_id text NOT NULL,
    state text NOT NULL,
    file text NOT NULL,
    lines bigint NOT NULL,
    bytes bigint NOT NULL,
    sha256 text NOT NULL,
    created_at double precision NOT NULL,
    sent_at double precision,
    accepted_at double precision,
    settled_at double precision,
    due_at double precision NOT NULL,
    uploads integer NOT NULL,
    polls integer NOT NULL,
    answer text,
    note text,
    isolation bigint,
    oldest_change double precision
);


--
-- Name: TABLE batches; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.batches IS 'Data files, with their client request id and life: spooled, sent, accepted, done | failed, resolved.';


--
-- Name: batches_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.batches_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: batches_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.batches_id_seq OWNED BY public.batches.id;


--
-- Name: budget; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.budget (
    id smallint NOT NULL,
    recent text NOT NULL,
    blocked_until double precision NOT NULL
);


--
-- Name: TABLE budget; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.budget IS 'One row: times of the latest calls to Gong (JSON list), and until when Gong said to wait.';


--
-- Name: calls; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.calls (
    minute bigint NOT NULL,
    priority smallint NOT NULL,
    count integer NOT NULL
);


--
-- Name: TABLE calls; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.calls IS 'Calls made to Gong, by minute since 1970 and priority.';


--
-- Name: cursors; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.cursors (
    name text NOT NULL,
    fingerprint text NOT NULL,
    cursor text,
    loaded_at double precision,
    pass_id bigint,
    pass_fingerprint text,
    pass_bound text,
    position_modified text,
    position_key text,
    cursor_at double precision,
    pass_at double precision,
    held_by text,
    held_since double precision
);


--
-- Name: TABLE cursors; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.cursors IS 'Per entity source: where the next pass starts, and how far an unfinished one has come; who holds it.';


--
-- Name: epoch; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.epoch (
    id smallint NOT NULL,
    ledger text NOT NULL,
    counter bigint NOT NULL,
    doubted_at double precision,
    doubted_batch bigint
);


--
-- Name: TABLE epoch; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.epoch IS 'One row: which ledger this is, and how many batches it booked; since when it knows less than Gong was told.';


--
-- Name: holds; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.holds (
    id bigint NOT NULL,
    type text NOT NULL,
    kind text NOT NULL,
    since double precision NOT NULL,
    objects bigint NOT NULL,
    live bigint NOT NULL,
    approved_at double precision,
    approved_by text,
    approved bigint
);


--
-- Name: TABLE holds; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.holds IS 'What the guard holds, one row a type and kind; and for ever what was let through, when and by whom.';


--
-- Name: holds_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.holds_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: holds_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.holds_id_seq OWNED BY public.holds.id;


--
-- Name: incidents; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.incidents (
    kind text NOT NULL,
    subject text NOT NULL,
    state text NOT NULL,
    words text NOT NULL,
    since double precision NOT NULL,
    objects bigint NOT NULL,
    lasted boolean NOT NULL,
    times integer NOT NULL,
    absent_since double precision,
    ended_at double precision,
    told_at double precision,
    told_objects bigint NOT NULL,
    end_told_at double precision
);


--
-- Name: TABLE incidents; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.incidents IS 'What is wrong, as the webhook is told of it: once when it begins, once when it is over; a day longer.';


--
-- Name: isolations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.isolations (
    id bigint NOT NULL,
    type text NOT NULL,
    bad bigint NOT NULL,
    rounds integer NOT NULL,
    due double precision NOT NULL
);


--
-- Name: TABLE isolations; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.isolations IS 'Failed files, by batch id, whose bad lines Gong did not all list: they are looked for in pieces.';


--
-- Name: lease; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.lease (
    id smallint NOT NULL,
    holder text,
    token bigint NOT NULL,
    expires_at double precision NOT NULL,
    serves boolean DEFAULT false NOT NULL
);


--
-- Name: TABLE lease; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.lease IS 'One row: the active process, which `serves` requests if it is a daemon. `token` grows with each new holder and fences every write.';


--
-- Name: let_go; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.let_go (
    type text NOT NULL,
    kind text NOT NULL,
    minute bigint NOT NULL,
    count integer NOT NULL
);


--
-- Name: TABLE let_go; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.let_go IS 'Deletions, and changes that no stamp told of, that went without a person''s word, by minute.';


--
-- Name: meta; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.meta (
    key text NOT NULL,
    value text NOT NULL
);


--
-- Name: TABLE meta; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.meta IS 'What the ledger is bound to (source, Gong host, integration), and what Gong''s schema holds.';


--
-- Name: objects; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.objects (
    object_id text NOT NULL,
    type text NOT NULL,
    source smallint NOT NULL,
    told_digest bytea,
    told_modified bigint,
    told_deleted boolean DEFAULT false NOT NULL,
    told_unsure boolean DEFAULT false NOT NULL,
    sent_digest bytea,
    sent_deleted boolean DEFAULT false NOT NULL,
    last_modified bigint,
    batch_id bigint,
    line integer,
    refused_digest bytea,
    pending text,
    pending_since double precision,
    pending_due double precision,
    tries integer DEFAULT 0 NOT NULL,
    account_id text,
    address bytea,
    isolation bigint,
    piece smallint
);


--
-- Name: TABLE objects; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.objects IS 'What is known of each object: told, in flight, refused, pending.';


--
-- Name: passes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.passes (
    id bigint NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    started_at double precision NOT NULL,
    finished_at double precision,
    rows bigint NOT NULL,
    lines bigint NOT NULL,
    skipped bigint NOT NULL,
    pended bigint NOT NULL,
    refused bigint NOT NULL,
    not_shown text,
    warnings text,
    error text
);


--
-- Name: TABLE passes; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.passes IS 'Readings of a source, with what became of their rows.';


--
-- Name: passes_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.passes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: passes_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.passes_id_seq OWNED BY public.passes.id;


--
-- Name: past_refusals; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.past_refusals (
    backfill_id bigint NOT NULL,
    object_id text NOT NULL,
    modified bigint NOT NULL,
    origin text NOT NULL,
    kind text NOT NULL,
    field text NOT NULL,
    reason text NOT NULL,
    refused_at double precision NOT NULL
);


--
-- Name: TABLE past_refusals; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.past_refusals IS 'Versions of a history that were refused, by the connector or by Gong, and why: they are skipped.';


--
-- Name: pauses; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.pauses (
    type text NOT NULL,
    since double precision NOT NULL
);


--
-- Name: TABLE pauses; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.pauses IS 'Types that are neither read nor uploaded until somebody resumes them.';


--
-- Name: recovery; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.recovery (
    step text NOT NULL,
    name text NOT NULL
);


--
-- Name: TABLE recovery; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.recovery IS 'While the ledger is doubted: entity sources that were read, and types that were compared, since then.';


--
-- Name: refusals; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.refusals (
    type text NOT NULL,
    object_id text NOT NULL,
    origin text NOT NULL,
    kind text NOT NULL,
    field text NOT NULL,
    reason text NOT NULL,
    batch_id bigint,
    line integer,
    first_at double precision NOT NULL,
    last_at double precision NOT NULL,
    times integer NOT NULL
);


--
-- Name: TABLE refusals; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.refusals IS 'Objects whose latest line is refused, by the connector or by Gong, and why.';


--
-- Name: requests; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.requests (
    id bigint NOT NULL,
    operation text NOT NULL,
    arguments text NOT NULL,
    mapping text,
    asked_at double precision NOT NULL,
    asked_by text NOT NULL,
    for_daemon boolean NOT NULL,
    started_at double precision,
    finished_at double precision,
    outcome text,
    result text,
    error text
);


--
-- Name: TABLE requests; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.requests IS 'What commands ask of the active process, who asked, and what came of it; an audit.';


--
-- Name: requests_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.requests_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: requests_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.requests_id_seq OWNED BY public.requests.id;


--
-- Name: backfills id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backfills ALTER COLUMN id SET DEFAULT nextval('public.backfills_id_seq'::regclass);


--
-- Name: batches id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.batches ALTER COLUMN id SET DEFAULT nextval('public.batches_id_seq'::regclass);


--
-- Name: holds id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.holds ALTER COLUMN id SET DEFAULT nextval('public.holds_id_seq'::regclass);


--
-- Name: passes id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.passes ALTER COLUMN id SET DEFAULT nextval('public.passes_id_seq'::regclass);


--
-- Name: requests id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.requests ALTER COLUMN id SET DEFAULT nextval('public.requests_id_seq'::regclass);


--
-- Data for Name: alembic_version; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.alembic_version VALUES ('0001');


--
-- Data for Name: authorisation; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: backfilled; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: backfills; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: batches; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.batches VALUES (1, 'BUSINESS_USER', 'load', 1, 'd46c70c8-7149-49b5-aaa8-cdf467c6460e', 'done', 'd46c70c8-7149-49b5-aaa8-cdf467c6460e', 11, 1005, 'a2360ab2051bd5411f15bafc56d50c237a368c793c05b0c1c51f793b8363642e', 1790000000, 1790000001.1, 1790000002.1999998, 1790000004.1999998, 1790000004.1999998, 1, 1, '{"processing":"DONE","errors":[],"error_count":0,"success_count":11}', NULL, NULL, NULL);
INSERT INTO public.batches VALUES (2, 'STAGE', 'load', 1, '5499211d-0557-4ff8-afef-bf00570d640b', 'done', '5499211d-0557-4ff8-afef-bf00570d640b', 7, 982, 'bce3213c70f0a835a9c82e397d8cf5236cd139029f6f2fe4dde6cc40afc0ea0a', 1790000000, 1790000002.1999998, 1790000002.1999998, 1790000004.1999998, 1790000004.1999998, 1, 1, '{"processing":"DONE","errors":[],"error_count":0,"success_count":7}', NULL, NULL, NULL);
INSERT INTO public.batches VALUES (3, 'ACCOUNT', 'load', 1, '9aaa27f4-ea80-4ae9-a332-88d2ec4d01f8', 'done', '9aaa27f4-ea80-4ae9-a332-88d2ec4d01f8', 3, 881, '48772972228002839b2d72b4d1176a9ecc09c3614fd49d6733ac9e58f919a0d8', 1790000001.1, 1790000002.1999998, 1790000002.1999998, 1790000004.3999996, 1790000004.1999998, 1, 1, '{"processing":"DONE","errors":[],"error_count":0,"success_count":3}', NULL, NULL, NULL);
INSERT INTO public.batches VALUES (4, 'LEAD', 'load', 1, '88b9bb08-4118-47fe-ab50-a34cc40801d6', 'resolved', '88b9bb08-4118-47fe-ab50-a34cc40801d6', 1, 320, 'bb063e9260977947f7d7b19e684324831d761c963dc744aae873c930d648950e', 1790000001.1, 1790000002.1999998, 1790000003.2999997, 1790000005.2999997, 1790000005.2999997, 1, 1, '{"processing":"FAILED","errors":[{"line":1,"description":"Invalid value for field [source]: expected a value of its list"}],"error_count":1,"success_count":0}', NULL, NULL, NULL);
INSERT INTO public.batches VALUES (5, 'CONTACT', 'load', 1, '997c7cf0-aa08-433f-9a71-960ef35258d7', 'done', '997c7cf0-aa08-433f-9a71-960ef35258d7', 10, 2755, '0d67ba13cfa13757770bf7c061887be655c705a35ade25b493edc8d5b9c40ba8', 1790000064.3999996, 1790000065.4999995, 1790000065.4999995, 1790000067.4999995, 1790000067.4999995, 1, 1, '{"processing":"DONE","errors":[],"error_count":0,"success_count":10}', NULL, NULL, NULL);
INSERT INTO public.batches VALUES (6, 'DEAL', 'load', 1, '94fec0ea-2ed8-4d38-8d95-74aa518037cd', 'resolved', '94fec0ea-2ed8-4d38-8d95-74aa518037cd', 7, 2492, '776b59c235e82a81648b6e2aa7bc3863cbefd26eba33b1d6a6c704206f224a6e', 1790000065.4999995, 1790000065.4999995, 1790000065.4999995, 1790000067.4999995, 1790000067.4999995, 1, 1, '{"processing":"FAILED","errors":[{"line":7,"description":"Invalid value for field [discount]: expected a number from 0 to 100"}],"error_count":1,"success_count":6}', NULL, NULL, NULL);
INSERT INTO public.batches VALUES (7, 'DEAL', 'again', 1, 'd6a3b2ba-35c6-4705-9567-f992bbced8c6', 'done', 'd6a3b2ba-35c6-4705-9567-f992bbced8c6', 6, 2119, '16ebaea1df2d1f66a12e2de3fae759d84ab7e056c389c3d092dce3e4f33be508', 1790000067.4999995, 1790000067.4999995, 1790000067.4999995, 1790000069.4999995, 1790000069.4999995, 1, 1, '{"processing":"DONE","errors":[],"error_count":0,"success_count":6}', NULL, NULL, NULL);
INSERT INTO public.batches VALUES (8, 'ACCOUNT', 'incremental', 1, 'f806005d-6907-405e-b3ca-d9023602b78f', 'done', 'f806005d-6907-405e-b3ca-d9023602b78f', 1, 291, 'ee6d91f74a520dc0eea30ab22bd82263b219ef6127069ecdf9b5a6f5a624f8f7', 1790000369.4999995, 1790000369.4999995, 1790000369.4999995, 1790000371.4999995, 1790000371.4999995, 1, 1, '{"processing":"DONE","errors":[],"error_count":0,"success_count":1}', NULL, NULL, 1790000069);
INSERT INTO public.batches VALUES (9, 'CONTACT', 'incremental', 1, '0941014f-b40c-43dd-9183-11a00198d07d', 'done', '0941014f-b40c-43dd-9183-11a00198d07d', 2, 353, '4eea428cd2d73abdbc721d2986bb32ed4bcffffb787d3cb2c43998b104e30695', 1790000369.4999995, 1790000369.4999995, 1790000369.4999995, 1790000371.4999995, 1790000371.4999995, 1, 1, '{"processing":"DONE","errors":[],"error_count":0,"success_count":2}', NULL, NULL, 1790000069);
INSERT INTO public.batches VALUES (10, 'DEAL', 'incremental', 1, 'dd70012d-e953-47af-a291-7a305554e0b3', 'resolved', 'dd70012d-e953-47af-a291-7a305554e0b3', 3, 1074, '2c487c0771e343f24add6ec5dc20cfb02d55edf1627f7fe8c8633fcc7650209e', 1790000369.4999995, 1790000369.4999995, 1790000369.4999995, 1790000371.4999995, 1790000371.4999995, 1, 1, '{"processing":"FAILED","errors":[{"line":3,"description":"Invalid value for field [discount]: expected a number from 0 to 100"}],"error_count":1,"success_count":2}', NULL, NULL, 1790000069);
INSERT INTO public.batches VALUES (11, 'DEAL', 'again', 1, '4dbf89c8-6bd0-459d-b592-cc0318da7950', 'done', '4dbf89c8-6bd0-459d-b592-cc0318da7950', 2, 723, '4d4ee5d0036823371fc0e3ef8929616cef62c5b5e853418b866751c0f46c9c55', 1790000371.4999995, 1790000371.4999995, 1790000372.5999994, 1790000374.5999994, 1790000374.5999994, 1, 1, '{"processing":"DONE","errors":[],"error_count":0,"success_count":2}', NULL, NULL, NULL);


--
-- Data for Name: budget; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.budget VALUES (1, '[1790000371.4999995, 1790000372.5999994, 1790000374.5999994]', 0);


--
-- Data for Name: calls; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.calls VALUES (29833333, 1, 8);
INSERT INTO public.calls VALUES (29833333, 0, 6);
INSERT INTO public.calls VALUES (29833334, 1, 7);
INSERT INTO public.calls VALUES (29833334, 0, 3);
INSERT INTO public.calls VALUES (29833339, 1, 4);
INSERT INTO public.calls VALUES (29833339, 0, 4);


--
-- Data for Name: cursors; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.cursors VALUES ('BUSINESS_USER', '9e023534827ebd29d6c198fe610498ab', 'text:2026-09-21 14:14:29', 1790000000, NULL, NULL, NULL, NULL, NULL, 1790000069.5, NULL, NULL, NULL);
INSERT INTO public.cursors VALUES ('STAGE', 'cd759ac26986c9a60e288980c27a7b86', 'text:2026-09-21 14:14:29', 1790000000, NULL, NULL, NULL, NULL, NULL, 1790000069.5, NULL, NULL, NULL);
INSERT INTO public.cursors VALUES ('ACCOUNT', 'e2257f29443f01465e043fc480cfab0f', 'text:2026-09-21 14:14:29', 1790000001.1, NULL, NULL, NULL, NULL, NULL, 1790000069.5, NULL, NULL, NULL);
INSERT INTO public.cursors VALUES ('CONTACT', 'c8c3fa7155595e45954bcf78d6d8c63c', 'text:2026-09-21 14:14:29', 1790000064.3999996, NULL, NULL, NULL, NULL, NULL, 1790000069.5, NULL, NULL, NULL);
INSERT INTO public.cursors VALUES ('DEAL', 'e77c58c883a6c207b87403bcd07952ac', 'text:2026-09-21 14:14:29', 1790000065.4999995, NULL, NULL, NULL, NULL, NULL, 1790000069.5, NULL, NULL, NULL);
INSERT INTO public.cursors VALUES ('LEAD', '4d71c0530851842c724a5b730d761437', 'text:2026-09-21 14:14:29', 1790000001.1, NULL, NULL, NULL, NULL, NULL, 1790000069.5, NULL, NULL, NULL);


--
-- Data for Name: epoch; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.epoch VALUES (1, 'a545d25b-9710-4a00-8f83-3cc2e53d0c3c', 11, NULL, NULL);


--
-- Data for Name: holds; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: incidents; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: isolations; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: lease; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.lease VALUES (1, NULL, 1, 0, false);


--
-- Data for Name: let_go; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.let_go VALUES ('CONTACT', 'deletions', 29833339, 1);


--
-- Data for Name: meta; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.meta VALUES ('integration_id', '71126173386942309');
INSERT INTO public.meta VALUES ('gong_host', 'localhost');
INSERT INTO public.meta VALUES ('source', 'fbe5f788074325fbd6ec3080475ab4c5');
INSERT INTO public.meta VALUES ('schema.ACCOUNT', '15dead20fd96332eee04099848755049b4505334e45077591bd2508c9c77e1ef');
INSERT INTO public.meta VALUES ('schema.LEAD', '69a774ded244a0128b432c5e9868d5a4ca9d92fe77fbf40c8445421eaf7f216a');
INSERT INTO public.meta VALUES ('schema.CONTACT', '2bba497d5acb7716d414e9a77db371b08a25812e4fd57347ca20203ebaace047');
INSERT INTO public.meta VALUES ('schema.DEAL', '7ac7e3bbddab8fb4beb6a24d76c0a54e5bd1bc15dd016675567bae253bd152e7');


--
-- Data for Name: objects; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.objects VALUES ('1', 'BUSINESS_USER', 0, NULL, NULL, false, false, '\xfff570e1e504c8d492f1f794e00f7834', false, 1787321600, 1, 1, NULL, NULL, NULL, NULL, 0, NULL, '\xeca0af10e2e1dd638fc52d1613f027a5', NULL, NULL);
INSERT INTO public.objects VALUES ('10', 'BUSINESS_USER', 0, NULL, NULL, false, false, '\x4015ac155508cf6ff8f7c1d5d510da67', false, 1787321600, 1, 10, NULL, NULL, NULL, NULL, 0, NULL, '\x6d14e502911a7a2dfec30bcffbf8431f', NULL, NULL);
INSERT INTO public.objects VALUES ('11', 'BUSINESS_USER', 0, NULL, NULL, false, false, '\x6087ff3550ad879281edd748994c5095', false, 1787321600, 1, 11, NULL, NULL, NULL, NULL, 0, NULL, '\x4fe2ee4c2f7e2211fdbd6d3d26004cd1', NULL, NULL);
INSERT INTO public.objects VALUES ('2', 'BUSINESS_USER', 0, NULL, NULL, false, false, '\x0447e7bcfc61141089d1faca691ee9d8', false, 1787321600, 1, 2, NULL, NULL, NULL, NULL, 0, NULL, '\x2394e40432bbc9a279b93334d393d6bb', NULL, NULL);
INSERT INTO public.objects VALUES ('3', 'BUSINESS_USER', 0, NULL, NULL, false, false, '\x0d6194434fb44aec5aae60257d5d3c40', false, 1787321600, 1, 3, NULL, NULL, NULL, NULL, 0, NULL, '\xb3d993882224e1911196900ab500cdc1', NULL, NULL);
INSERT INTO public.objects VALUES ('4', 'BUSINESS_USER', 0, NULL, NULL, false, false, '\x2ac746dfaee51077e21941059fed2ab1', false, 1787321600, 1, 4, NULL, NULL, NULL, NULL, 0, NULL, '\xfede610dbf4304a3a8944fae031b5f4a', NULL, NULL);
INSERT INTO public.objects VALUES ('5', 'BUSINESS_USER', 0, NULL, NULL, false, false, '\x96922194fde4b201c56683a14e88e292', false, 1787321600, 1, 5, NULL, NULL, NULL, NULL, 0, NULL, '\xb5a5e41baf06e4bd639ccb6ee2928651', NULL, NULL);
INSERT INTO public.objects VALUES ('6', 'BUSINESS_USER', 0, NULL, NULL, false, false, '\x8ff0666fff5e14e150f17d779c473f3f', false, 1787321600, 1, 6, NULL, NULL, NULL, NULL, 0, NULL, '\x640c8260c8a15a7c7a2b10e3cf0573ed', NULL, NULL);
INSERT INTO public.objects VALUES ('7', 'BUSINESS_USER', 0, NULL, NULL, false, false, '\xf8481e72f5586d565190bae75874d95a', false, 1787321600, 1, 7, NULL, NULL, NULL, NULL, 0, NULL, '\x9fd8607871f9c2986382654dd4a6d4a9', NULL, NULL);
INSERT INTO public.objects VALUES ('8', 'BUSINESS_USER', 0, NULL, NULL, false, false, '\x146d30e7f23011b4de4921c97fc42bcb', false, 1787321600, 1, 8, NULL, NULL, NULL, NULL, 0, NULL, '\x82d1ecaffce8132640041173228646e0', NULL, NULL);
INSERT INTO public.objects VALUES ('9', 'BUSINESS_USER', 0, NULL, NULL, false, false, '\x8e8e78b54f50b2641c5b4e9296718133', false, 1787321600, 1, 9, NULL, NULL, NULL, NULL, 0, NULL, '\xfbfba43645b2733c1dcf7f165a068555', NULL, NULL);
INSERT INTO public.objects VALUES ('12', 'BUSINESS_USER', 0, NULL, NULL, false, false, NULL, false, NULL, NULL, NULL, '\x48defd4993c622e648453398528e178d', NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('closed-lost', 'STAGE', 0, NULL, NULL, false, false, '\x00779690055744d465f5d78e51b3289e', false, 1787321600, 2, 1, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('closed-won', 'STAGE', 0, NULL, NULL, false, false, '\x7d42afcf7757ec17396505b20789110e', false, 1787321600, 2, 2, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('demo', 'STAGE', 0, NULL, NULL, false, false, '\x1a5afb56541c6d48f8b2d34f976a21dc', false, 1787321600, 2, 3, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('discovery', 'STAGE', 0, NULL, NULL, false, false, '\xd3f21a313774deeef4aa5b4abe5f7a7e', false, 1787321600, 2, 4, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('negotiation', 'STAGE', 0, NULL, NULL, false, false, '\x9f313c0bbbb1f3975017c5d7af24c3d9', false, 1787321600, 2, 5, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('proposal', 'STAGE', 0, NULL, NULL, false, false, '\xc13d6a91c8b067bdbaff870721332d09', false, 1787321600, 2, 6, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('qualification', 'STAGE', 0, NULL, NULL, false, false, '\x4b80e69383f3b3a95b7079bc83cb409d', false, 1787321600, 2, 7, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('1', 'ACCOUNT', 0, NULL, NULL, false, false, '\x1e3d43839b7f23983cb076b6e8580fe2', false, 1786611370, 3, 1, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('3', 'ACCOUNT', 0, NULL, NULL, false, false, '\xbac3d67fa82e8c86fbcbd7c288b26cc2', false, 1788523118, 3, 2, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('1', 'LEAD', 0, NULL, NULL, false, false, NULL, false, 1786556174, 4, 1, '\xd22f98a01e034d45110f7cde7c8e9564', NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('1', 'CONTACT', 0, NULL, NULL, false, false, '\x3724b15e8fdf193b855b79bfcb713f22', false, 1759030515, 5, 3, NULL, NULL, NULL, NULL, 0, '1', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('10', 'CONTACT', 0, NULL, NULL, false, false, '\xe8c1d8c02bc52b6cedd1efcd2255909a', false, 1774411934, 5, 5, NULL, NULL, NULL, NULL, 0, '3', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('2', 'CONTACT', 0, NULL, NULL, false, false, '\xdb7e3026f8eb468485c2e175d01e76c9', false, 1742080762, 5, 1, NULL, NULL, NULL, NULL, 0, '2', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('3', 'CONTACT', 0, NULL, NULL, false, false, '\xc78cc795c5c5c57eb8166e943d9a67e5', false, 1782374301, 5, 8, NULL, NULL, NULL, NULL, 0, '2', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('4', 'CONTACT', 0, NULL, NULL, false, false, '\x43dcd2086a3041d4d884b79d1c237f2d', false, 1781310307, 5, 7, NULL, NULL, NULL, NULL, 0, '2', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('5', 'CONTACT', 0, NULL, NULL, false, false, '\xaeb6414e814c60a2ac268aa61c3b4635', false, 1768362323, 5, 4, NULL, NULL, NULL, NULL, 0, '2', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('6', 'CONTACT', 0, NULL, NULL, false, false, '\x2526c2c8a69fac96cb67dc19a4bc6843', false, 1750765336, 5, 2, NULL, NULL, NULL, NULL, 0, '2', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('8', 'CONTACT', 0, NULL, NULL, false, false, '\xe2fd7074c9b486bad5d22e5901d6a086', false, 1782590636, 5, 9, NULL, NULL, NULL, NULL, 0, '3', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('9', 'CONTACT', 0, NULL, NULL, false, false, '\x1bea37178cfbc41a136aab4104e2fbeb', false, 1787427597, 5, 10, NULL, NULL, NULL, NULL, 0, '3', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('2', 'DEAL', 0, NULL, NULL, false, true, '\x415f8920d6779bbd0aa782ad79357dd7', false, 1790000067, 7, 2, NULL, NULL, NULL, NULL, 1, '1', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('3', 'DEAL', 0, NULL, NULL, false, true, '\x36cb05c23c32e414d3cb69d19c4a0a72', false, 1790000067, 7, 3, NULL, NULL, NULL, NULL, 1, '1', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('5', 'DEAL', 0, NULL, NULL, false, true, '\xba3e776afb39bda84dc989c070af2c29', false, 1790000067, 7, 5, NULL, NULL, NULL, NULL, 1, '2', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('6', 'DEAL', 0, NULL, NULL, false, true, '\xf641b14d325d9bb1c021a43c3ac2bd3b', false, 1790000067, 7, 6, NULL, NULL, NULL, NULL, 1, '2', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('2', 'ACCOUNT', 0, '\xde3440d7cc823c657c6df44778e8a7d6', 1789396307, false, false, '\x1699c52aac278eca0f87801f9e5f1867', false, 1790000069, 8, 1, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('11', 'CONTACT', 0, NULL, NULL, false, false, '\x8f774882108a95bb26cc90a08a4920a0', false, 1790000069, 9, 1, NULL, NULL, NULL, NULL, 0, '2', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('7', 'CONTACT', 0, '\x1c0de82f965e83269a321fe194c841cb', 1780251675, false, false, '\x7961bdc3db9ea61d19dec64d0f875559', true, 1790000069, 9, 2, NULL, NULL, NULL, NULL, 0, '3', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('7', 'DEAL', 0, NULL, NULL, false, false, NULL, false, 1790000069, 10, 3, '\xbdc95cd8dabee4d322397ff31695879b', NULL, NULL, NULL, 0, '3', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('1', 'DEAL', 0, '\x52a182b296bd0a0005448a640d380422', 1790000067, false, true, '\x90f17465ed66b6db038bed0e84922fdb', false, 1790000371, 11, 1, NULL, NULL, NULL, NULL, 1, '1', NULL, NULL, NULL);
INSERT INTO public.objects VALUES ('4', 'DEAL', 0, '\x3adfd25218502343f705f3f64cd850e2', 1790000067, false, true, '\xe6db4d4d61f4faa2c523b0c454644322', false, 1790000371, 11, 2, NULL, NULL, NULL, NULL, 1, '2', NULL, NULL, NULL);


--
-- Data for Name: passes; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.passes VALUES (1, 'BUSINESS_USER', 'load', 1790000000, 1790000000, 12, 11, 0, 0, 1, '[]', '[]', NULL);
INSERT INTO public.passes VALUES (2, 'STAGE', 'load', 1790000000, 1790000000, 7, 7, 0, 0, 0, '[]', '[]', NULL);
INSERT INTO public.passes VALUES (3, 'ACCOUNT', 'load', 1790000001.1, 1790000001.1, 3, 3, 0, 0, 0, '[]', '[]', NULL);
INSERT INTO public.passes VALUES (4, 'LEAD', 'load', 1790000001.1, 1790000001.1, 1, 1, 0, 0, 0, '[]', '[]', NULL);
INSERT INTO public.passes VALUES (5, 'CONTACT', 'load', 1790000064.3999996, 1790000064.3999996, 10, 10, 0, 0, 0, '[]', '[]', NULL);
INSERT INTO public.passes VALUES (6, 'DEAL', 'load', 1790000065.4999995, 1790000065.4999995, 7, 7, 0, 0, 0, '[]', '[]', NULL);
INSERT INTO public.passes VALUES (7, 'DEAL', 'again', 1790000067.4999995, 1790000067.4999995, 6, 6, 0, 0, 0, '[]', '[]', NULL);
INSERT INTO public.passes VALUES (8, 'BUSINESS_USER', 'incremental', 1790000369.4999995, 1790000369.4999995, 0, 0, 0, 0, 0, '[]', '[]', NULL);
INSERT INTO public.passes VALUES (9, 'STAGE', 'incremental', 1790000369.4999995, 1790000369.4999995, 0, 0, 0, 0, 0, '[]', '[]', NULL);
INSERT INTO public.passes VALUES (10, 'ACCOUNT', 'incremental', 1790000369.4999995, 1790000369.4999995, 2, 1, 1, 0, 0, '[]', '[]', NULL);
INSERT INTO public.passes VALUES (11, 'CONTACT', 'incremental', 1790000369.4999995, 1790000369.4999995, 2, 2, 0, 0, 0, '[]', '[]', NULL);
INSERT INTO public.passes VALUES (12, 'DEAL', 'incremental', 1790000369.4999995, 1790000369.4999995, 3, 3, 0, 0, 0, '[]', '[]', NULL);
INSERT INTO public.passes VALUES (13, 'LEAD', 'incremental', 1790000369.4999995, 1790000369.4999995, 0, 0, 0, 0, 0, '[]', '[]', NULL);
INSERT INTO public.passes VALUES (14, 'DEAL', 'again', 1790000371.4999995, 1790000371.4999995, 2, 2, 0, 0, 0, '[]', '[]', NULL);


--
-- Data for Name: past_refusals; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: pauses; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: recovery; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: refusals; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.refusals VALUES ('BUSINESS_USER', '12', 'connector', 'row', 'emailAddress', 'emailAddress is empty, and Gong takes no BUSINESS_USER without it (column ''email'')', NULL, NULL, 1790000000, 1790000000, 1);
INSERT INTO public.refusals VALUES ('LEAD', '1', 'gong', 'content', 'source', 'Invalid value for field [source]: expected a value of its list', 4, 1, 1790000005.2999997, 1790000005.2999997, 1);
INSERT INTO public.refusals VALUES ('DEAL', '7', 'gong', 'content', 'discount', 'Invalid value for field [discount]: expected a number from 0 to 100', 10, 3, 1790000371.4999995, 1790000371.4999995, 1);


--
-- Data for Name: requests; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Name: backfills_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.backfills_id_seq', 1, false);


--
-- Name: batches_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.batches_id_seq', 11, true);


--
-- Name: holds_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.holds_id_seq', 1, false);


--
-- Name: passes_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.passes_id_seq', 14, true);


--
-- Name: requests_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.requests_id_seq', 1, false);


--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: authorisation pk_authorisation; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.authorisation
    ADD CONSTRAINT pk_authorisation PRIMARY KEY (id);


--
-- Name: backfilled pk_backfilled; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backfilled
    ADD CONSTRAINT pk_backfilled PRIMARY KEY (object_id, type);


--
-- Name: backfills pk_backfills; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backfills
    ADD CONSTRAINT pk_backfills PRIMARY KEY (id);


--
-- Name: batches pk_batches; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.batches
    ADD CONSTRAINT pk_batches PRIMARY KEY (id);


--
-- Name: budget pk_budget; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.budget
    ADD CONSTRAINT pk_budget PRIMARY KEY (id);


--
-- Name: calls pk_calls; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.calls
    ADD CONSTRAINT pk_calls PRIMARY KEY (minute, priority);


--
-- Name: cursors pk_cursors; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.cursors
    ADD CONSTRAINT pk_cursors PRIMARY KEY (name);


--
-- Name: epoch pk_epoch; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.epoch
    ADD CONSTRAINT pk_epoch PRIMARY KEY (id);


--
-- Name: holds pk_holds; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.holds
    ADD CONSTRAINT pk_holds PRIMARY KEY (id);


--
-- Name: incidents pk_incidents; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.incidents
    ADD CONSTRAINT pk_incidents PRIMARY KEY (kind, subject);


--
-- Name: isolations pk_isolations; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.isolations
    ADD CONSTRAINT pk_isolations PRIMARY KEY (id);


--
-- Name: lease pk_lease; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT pk_lease PRIMARY KEY (id);


--
-- Name: let_go pk_let_go; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.let_go
    ADD CONSTRAINT pk_let_go PRIMARY KEY (type, kind, minute);


--
-- Name: meta pk_meta; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.meta
    ADD CONSTRAINT pk_meta PRIMARY KEY (key);


--
-- Name: objects pk_objects; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.objects
    ADD CONSTRAINT pk_objects PRIMARY KEY (object_id, type);


--
-- Name: passes pk_passes; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.passes
    ADD CONSTRAINT pk_passes PRIMARY KEY (id);


--
-- Name: past_refusals pk_past_refusals; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.past_refusals
    ADD CONSTRAINT pk_past_refusals PRIMARY KEY (backfill_id, object_id, modified);


--
-- Name: pauses pk_pauses; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pauses
    ADD CONSTRAINT pk_pauses PRIMARY KEY (type);


--
-- Name: recovery pk_recovery; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recovery
    ADD CONSTRAINT pk_recovery PRIMARY KEY (step, name);


--
-- Name: refusals pk_refusals; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.refusals
    ADD CONSTRAINT pk_refusals PRIMARY KEY (type, object_id);


--
-- Name: requests pk_requests; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT pk_requests PRIMARY KEY (id);


--
-- Name: batches uq_batches_request_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.batches
    ADD CONSTRAINT uq_batches_request_id UNIQUE (request_id);


--
-- Name: ix_batches_note; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_batches_note ON public.batches USING btree (id) WHERE (note IS NOT NULL);


--
-- Name: ix_batches_settled_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_batches_settled_at ON public.batches USING btree (settled_at);


--
-- Name: ix_batches_state; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_batches_state ON public.batches USING btree (state, due_at);


--
-- Name: ix_batches_type; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_batches_type ON public.batches USING btree (type, state, settled_at);


--
-- Name: ix_objects_address; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_objects_address ON public.objects USING btree (address) WHERE (address IS NOT NULL);


--
-- Name: ix_objects_isolation; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_objects_isolation ON public.objects USING btree (isolation, piece) WHERE (pending = 'suspect'::text);


--
-- Name: ix_objects_pending; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_objects_pending ON public.objects USING btree (type, pending_due) WHERE (pending IS NOT NULL);


--
-- Name: ix_passes_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_passes_name ON public.passes USING btree (name, id);


--
-- Name: ix_requests_open; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_requests_open ON public.requests USING btree (id) WHERE (finished_at IS NULL);


--
-- PostgreSQL database dump complete
--



