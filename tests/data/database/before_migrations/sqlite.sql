-- The tables as the code before migrations made them.
CREATE TABLE participants (
	study VARCHAR(64) NOT NULL,
	participant_id VARCHAR(128) NOT NULL,
	version VARCHAR(64) NOT NULL,
	condition JSON,
	consent JSON,
	arrived_utc VARCHAR(32) NOT NULL,
	arrived_ms FLOAT NOT NULL,
	finished_utc VARCHAR(32),
	finished_ms FLOAT,
	ended_how VARCHAR(32),
	completion_code VARCHAR(128),
	browser TEXT NOT NULL,
	secret_hash VARCHAR(64) NOT NULL,
	scene INTEGER NOT NULL,
	PRIMARY KEY (study, participant_id)
);
CREATE TABLE recruitment (
	id INTEGER NOT NULL,
	study VARCHAR(64) NOT NULL,
	participant_id VARCHAR(128) NOT NULL,
	utc VARCHAR(32) NOT NULL,
	params JSON NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX ix_recruitment_study ON recruitment (study);
CREATE TABLE groups (
	group_id VARCHAR(40) NOT NULL,
	study VARCHAR(64) NOT NULL,
	scene INTEGER NOT NULL,
	members JSON NOT NULL,
	formed_utc VARCHAR(32) NOT NULL,
	formed_ms FLOAT NOT NULL,
	PRIMARY KEY (group_id)
);
CREATE INDEX ix_groups_study ON groups (study);
CREATE TABLE games (
	game_id VARCHAR(40) NOT NULL,
	group_id VARCHAR(40),
	study VARCHAR(64) NOT NULL,
	version VARCHAR(64) NOT NULL,
	scene INTEGER NOT NULL,
	label VARCHAR(128) NOT NULL,
	seats JSON NOT NULL,
	input_sizes JSON NOT NULL,
	codecs JSON NOT NULL,
	seed BIGINT NOT NULL,
	env TEXT NOT NULL,
	code_hash VARCHAR(64) NOT NULL,
	lock_hash VARCHAR(64) NOT NULL,
	fps FLOAT NOT NULL,
	input_delay INTEGER,
	window INTEGER NOT NULL,
	episodes INTEGER NOT NULL,
	max_frames INTEGER,
	countdown_frames INTEGER NOT NULL,
	started_utc VARCHAR(32) NOT NULL,
	started_ms FLOAT NOT NULL,
	ended_utc VARCHAR(32),
	ended_ms FLOAT,
	frames INTEGER,
	verdict VARCHAR(32),
	verdict_frame INTEGER,
	verdict_reason TEXT,
	chain_hash VARCHAR(128),
	left_early JSON,
	checksums_compared INTEGER,
	PRIMARY KEY (game_id)
);
CREATE INDEX ix_games_study ON games (study);
CREATE TABLE reports (
	game_id VARCHAR(40) NOT NULL,
	peer INTEGER NOT NULL,
	utc VARCHAR(32) NOT NULL,
	body JSON NOT NULL,
	PRIMARY KEY (game_id, peer)
);
CREATE TABLE batches (
	game_id VARCHAR(40) NOT NULL,
	peer INTEGER NOT NULL,
	number INTEGER NOT NULL,
	first_frame INTEGER NOT NULL,
	frames INTEGER NOT NULL,
	utc VARCHAR(32) NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (game_id, peer, number)
);
CREATE TABLE events (
	id INTEGER NOT NULL,
	study VARCHAR(64) NOT NULL,
	participant_id VARCHAR(128),
	game_id VARCHAR(40),
	player_id INTEGER,
	utc VARCHAR(32) NOT NULL,
	ms FLOAT NOT NULL,
	kind VARCHAR(64) NOT NULL,
	detail JSON NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX ix_events_study ON events (study);
