-- The application's own role, for development in containers.
create role ias login password 'password';
alter database ias owner to ias;
