"""For the tests of programs that use a site: a pytest plugin with a fresh site for each test."""
