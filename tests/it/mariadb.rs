//! A database of its own for each test, on the MariaDB that tests/mariadb.sh starts.

use modtools::{settings::Settings, stage::Context};
use mysql::{Conn, OptsBuilder, prelude::Queryable};

use crate::support::{Run, Tool, tool};

/// The table of the program that came before: a surrogate id, and no index on the time.
pub const OLD: &str = "CREATE TABLE modulation_new (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, \
     cmts VARCHAR(64), upstream VARCHAR(64), modulation VARCHAR(16), timestamp TIMESTAMP NULL)";

/// What tests/mariadb.sh says of its server.
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test`"))
}

/// A database of its own, dropped at the end.
pub struct MariaDb {
    pub connection: Conn,
    pub name: String,
}

impl MariaDb {
    pub fn new() -> Self {
        let server = variable("MODTOOLS_TEST_MYSQL");
        let (host, port) = server.rsplit_once(':').unwrap();
        let options = OptsBuilder::new()
            .ip_or_hostname(Some(host))
            .tcp_port(port.parse().unwrap())
            .user(Some(variable("MODTOOLS_TEST_MYSQL_USER")))
            .pass(Some(variable("MODTOOLS_TEST_MYSQL_PASSWORD")))
            .prefer_socket(false)
            .init(vec!["SET time_zone = '+00:00'"]);
        let mut connection = Conn::new(options).unwrap();
        let name = format!("modtools_{:016x}", fastrand::u64(..));
        connection.query_drop(format!("CREATE DATABASE {name}")).unwrap();
        connection.query_drop(format!("USE {name}")).unwrap();
        MariaDb { connection, name }
    }

    pub fn old(create: &str) -> Self {
        let mut db = Self::new();
        db.run(create);
        db
    }

    pub fn run(&mut self, sql: &str) {
        self.connection.query_drop(sql).unwrap();
    }

    pub fn url(&self) -> String {
        let (user, server) = (variable("MODTOOLS_TEST_MYSQL_USER"), variable("MODTOOLS_TEST_MYSQL"));
        format!("mysql://{user}@{server}/{}", self.name)
    }

    pub fn tool(&self, url: &str) -> Tool {
        tool("mod-store").args(["--db", url]).env("ACCESS_PASSWORD", variable("MODTOOLS_TEST_MYSQL_PASSWORD"))
    }

    pub fn store(&self, flags: &[&str], input: impl Into<Vec<u8>>) -> Run {
        self.tool(&self.url()).args(flags).stdin(input).run()
    }

    pub fn initialised() -> Self {
        let db = Self::new();
        db.store(&["--init"], "").clean(0);
        db
    }

    /// The URL of an account that has only these rights on the database.
    pub fn account(&mut self, rights: &str) -> String {
        let (name, password) = (self.name.clone(), variable("MODTOOLS_TEST_MYSQL_PASSWORD"));
        self.run(&format!("CREATE USER '{name}'@'%' IDENTIFIED BY '{password}'"));
        self.run(&format!("GRANT {rights} ON `{name}`.* TO '{name}'@'%'"));
        format!("mysql://{name}@{}/{name}", variable("MODTOOLS_TEST_MYSQL"))
    }

    pub fn number(&mut self, sql: &str) -> i64 {
        self.connection.query_first(sql).unwrap().unwrap()
    }

    pub fn samples(&mut self) -> i64 {
        self.number("SELECT COUNT(*) FROM modulation_new")
    }

    pub fn texts(&mut self, sql: &str) -> Vec<String> {
        self.connection.query(sql).unwrap()
    }

    pub fn context(&self, more: &[(&str, &str)]) -> Context {
        let password = variable("MODTOOLS_TEST_MYSQL_PASSWORD");
        let settings = Settings::of([("ACCESS_PASSWORD", password.as_str())].iter().chain(more).copied());
        Context { settings, ..Context::default() }
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        let name = &self.name;
        let _ = self.connection.query_drop(format!("DROP DATABASE {name}"));
        let _ = self.connection.query_drop(format!("DROP USER IF EXISTS '{name}'@'%'"));
    }
}
